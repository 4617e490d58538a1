import { validTraceparent } from "../runtime/traceparent"
import { isUuid } from "../runtime/uuid"

const MAX_USER_AGENT_CHARACTERS = 256

/** What is read of a request, whichever framework it comes from. `node:http`'s requests fit. */
export interface HttpRequest {
  readonly method?: string | undefined
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  /** The client's address as the framework knows it, behind trusted proxies. Default: the connection's. */
  readonly ip?: string | undefined
  readonly socket?: { readonly remoteAddress?: string | undefined } | undefined
}

/** What a request says about itself. A field is absent when the request does not have it, or not a valid one. */
export interface HttpRequestFields {
  readonly requestId?: string
  readonly traceparent?: string
  readonly clientAddress?: string
  readonly userAgent?: string
}

/**
 * Reads what a context keeps of a request. Forwarding headers (`x-forwarded-for`) are not read, for anybody may send them:
 * which of them to trust is the framework's setting.
 *
 * @param requestIdHeader its name in lower case, or undefined to accept no request id from outside.
 */
export function readHttpRequest(request: HttpRequest, requestIdHeader: string | undefined): HttpRequestFields {
  const requestId = requestIdHeader === undefined ? undefined : request.headers[requestIdHeader]
  const traceparent = validTraceparent(request.headers["traceparent"])
  const clientAddress = request.ip ?? request.socket?.remoteAddress
  const userAgent = readUserAgent(request.headers["user-agent"])
  return {
    ...(isUuid(requestId) ? { requestId } : {}),
    ...(traceparent === undefined ? {} : { traceparent }),
    ...(clientAddress === undefined ? {} : { clientAddress }),
    ...(userAgent === undefined ? {} : { userAgent }),
  }
}

/** Without control characters, which could forge lines in a log, and cut at 256 characters. */
function readUserAgent(header: string | string[] | undefined): string | undefined {
  if (typeof header !== "string") return undefined
  const printable = Array.from(header).filter((character) => !isControl(character.codePointAt(0) as number))
  return printable.length === 0 ? undefined : printable.slice(0, MAX_USER_AGENT_CHARACTERS).join("")
}

function isControl(code: number): boolean {
  return code < 0x20 || (code >= 0x7f && code < 0xa0) || code === 0x2028 || code === 0x2029
}
