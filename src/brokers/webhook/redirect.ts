/** These ask for the same request elsewhere; 303 asks for another one. */
const SAME_REQUEST = [301, 302, 307, 308]

/** The url a redirect leads to, if the same request may go there: never from https to http. Credentials in it are not taken over. */
export function redirectTarget(status: number, location: string | undefined, from: URL): URL | undefined {
  if (!SAME_REQUEST.includes(status) || location === undefined || !URL.canParse(location, from.href)) return undefined
  const target = new URL(location, from)
  const isHttp = target.protocol === "https:" || (target.protocol === "http:" && from.protocol === "http:")
  if (!isHttp) return undefined
  target.username = target.password = ""
  return target
}
