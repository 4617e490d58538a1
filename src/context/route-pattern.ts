/** What is read of a request that a router may have routed. */
export interface RoutedRequest {
  readonly method?: string | undefined
  /** Where the router is mounted, with the values of its parameters in place. */
  readonly baseUrl?: string | undefined
  /** Known once the request has reached a route. Its `path` is the pattern. */
  readonly route?: unknown
}

/**
 * The method and the pattern of the route: `PATCH /devices/:id`. Before the request has reached a route, the method and where
 * the router is mounted. Never the URL: its path and query string hold values, and some of them are secrets.
 */
export function routePattern(request: RoutedRequest): string {
  const method = request.method ?? ""
  const mount = mountPattern(request.baseUrl ?? "")
  const pattern = patternOf(request.route)
  const path = mount !== "" && pattern === "/" ? mount : mount + pattern
  return path === "" ? method : `${method} ${path}`
}

/** A pattern is a text, a regular expression, or a list of them. */
function patternOf(route: unknown): string {
  if (typeof route !== "object" || route === null || !("path" in route)) return ""
  return Array.isArray(route.path) ? route.path.map(String).join("|") : String(route.path)
}

/**
 * Express tells where a router is mounted by the URL, not by the pattern: `/projects/7/keys`. A segment is kept when it looks
 * like a name or a version (`v2`), else it is taken for a value: `/projects/:value/keys`.
 */
function mountPattern(baseUrl: string): string {
  const segments = baseUrl.split("/").map((segment) => (isName(segment) ? segment : ":value"))
  return segments.join("/")
}

function isName(segment: string): boolean {
  return segment.length <= 32 && /^([a-z_-]*|v\d+(\.\d+)*)$/i.test(segment)
}
