import { randomUUID } from "node:crypto"
import { ChangeEventsError } from "../errors"
import type { EventContext } from "../events/event-context"
import type { Logger } from "../runtime/logger"
import { unknownKeyFaults } from "../runtime/option-faults"
import { createReporter } from "../runtime/report"
import { bindEmitter, boundScope } from "./bound-emitter"
import { cutDetail } from "./context-fields"
import { contextOf, runInScope, type ContextScope } from "./context-scope"
import { readHttpRequest, type HttpRequest, type HttpRequestFields } from "./http-request"
import { guarded, lateFields } from "./late-fields"
import { routePattern } from "./route-pattern"

/** The part of Express's request that the middleware reads. Express itself is not imported, nor are its types. */
export interface ExpressRequest extends HttpRequest {
  readonly baseUrl?: string | undefined
  readonly route?: unknown
}

/** What `userName` and `context` get when they do not name a type of their own, such as `express.Request`. */
export interface SignedInRequest extends ExpressRequest {
  readonly user?: SignedInUser | null | undefined
}

export interface SignedInUser {
  readonly name?: string | null | undefined
  readonly username?: string | null | undefined
  readonly email?: string | null | undefined
}

/** Fits `app.use` and `router.use` of Express 4 and 5. */
export type ExpressMiddleware = (request: ExpressRequest, response: unknown, next: () => void) => void

export interface ExpressChangeContextOptions<Request = SignedInRequest> {
  /**
   * Who is signed in, or nothing. Asked at every statement, so that it does not matter where authentication happens; must be
   * cheap. A name once known stays for the request. Default: nobody, until `amendChangeContext({ userName })`.
   */
  readonly userName?: (request: Request) => string | null | undefined
  /**
   * Further keys, such as a tenant, or a field in place of the middleware's, such as `changeContextDetail` with the name of a
   * GraphQL operation. Asked at every statement, as `userName` is. Default: none.
   */
  readonly context?: (request: Request) => Readonly<Record<string, unknown>> | null | undefined
  /** The header with the request id; accepted if it is a UUID. Default `x-request-id`. */
  readonly requestIdHeader?: string
  /** Whether a request id from outside is accepted. Default true; false where clients are not trusted. */
  readonly trustRequestId?: boolean
  /** Where a `userName` or `context` that throws is reported; the request goes on. Default: console. */
  readonly logger?: Logger
}

const optionNames = ["userName", "context", "requestIdHeader", "trustRequestId", "logger"]

/**
 * A middleware that runs every request in a change context: kind `Web`, detail the method and the route's pattern
 * (`PATCH /devices/:id`, never its values nor the query string), the request id, the client's address and user agent. Use it
 * first, before authentication and body parsers.
 *
 * @throws ChangeEventsError `OPTIONS_INVALID` listing every fault.
 */
export function expressChangeContext<Request = SignedInRequest>(
  options: ExpressChangeContextOptions<Request> = {},
): ExpressMiddleware {
  validate(options)
  const report = createReporter({ logger: options.logger })
  const header = (options.requestIdHeader ?? "x-request-id").toLowerCase()
  const trustedHeader = options.trustRequestId === false ? undefined : header

  return (request, response, next) => {
    const fields = guarded<HttpRequestFields>(report, "request", {}, () => readHttpRequest(request, trustedHeader))
    const further = (): unknown => options.context?.(request as unknown as Request)
    const userName = (): unknown => options.userName?.(request as unknown as Request)
    const scope: ContextScope = {
      context: openedContext(request, fields),
      amendments: {},
      lateFields: lateFields({ request, userName, further, report }),
    }
    bindEmitter(request, scope)
    bindEmitter(response, scope)
    runInScope(scope, next)
  }
}

/** A request that comes by a second middleware, of a router, say, stays the same request. */
function openedContext(request: ExpressRequest, fields: HttpRequestFields): EventContext {
  const outer = boundScope(request)
  return Object.freeze({
    requestId: randomUUID(),
    userName: null,
    ...fields,
    ...(outer && contextOf(outer)),
    changeContext: "Web" as const,
    changeContextDetail: cutDetail(routePattern(request)),
  })
}

function validate(options: ExpressChangeContextOptions<never>): void {
  const faults = unknownKeyFaults(options, optionNames)
  for (const name of ["userName", "context"] as const) {
    if (options[name] !== undefined && typeof options[name] !== "function") faults.push(`\`${name}\` is not a function`)
  }
  const { requestIdHeader, trustRequestId } = options
  if (requestIdHeader !== undefined && (typeof requestIdHeader !== "string" || requestIdHeader === "")) {
    faults.push("`requestIdHeader` is not the name of a header")
  }
  if (trustRequestId !== undefined && typeof trustRequestId !== "boolean") {
    faults.push("`trustRequestId` is neither true nor false")
  }
  if (faults.length === 0) return
  throw new ChangeEventsError("OPTIONS_INVALID", `expressChangeContext: ${faults.join("; ")}`, { details: { faults } })
}
