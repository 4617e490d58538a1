import { request as httpRequest, type Agent, type ClientRequest, type IncomingMessage } from "node:http"
import { request as httpsRequest, type RequestOptions } from "node:https"
import type { LookupFunction } from "node:net"

/** More of an answer is not read: the connection is closed instead, in bytes. */
const MAX_ANSWER_BYTES = 64 * 1024

export interface PostRequest {
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
  /** `user:password` of the url. */
  readonly credentials: string | undefined
  readonly agent: Agent
  readonly lookup: LookupFunction | undefined
  readonly signal: AbortSignal
}

/** What is read of an answer: its body is not. */
export interface PostAnswer {
  readonly status: number
  readonly location: string | undefined
  readonly retryAfter: string | undefined
}

/** Nothing of the request was sent, so the message cannot be the reason. */
export class NotConnectedError extends Error {
  constructor(override readonly cause: Error) {
    super(cause.message)
  }
}

/**
 * One POST, whose redirects are the caller's affair. By node:http and not by fetch: only a request with a `lookup` of its own connects
 * to the very addresses that were checked.
 *
 * @throws NotConnectedError, and what breaks a connection after that.
 */
export async function post(options: PostRequest): Promise<PostAnswer> {
  for (;;) {
    const request = startRequest(options)
    try {
      return await answerOf(request, options)
    } catch (error) {
      // The receiver closed a connection that was idle, and has not seen the request. The agent forgets each that fails.
      if (!request.reusedSocket || options.signal.aborted) throw error
    }
  }
}

function startRequest({ url, headers, body, credentials, agent, lookup, signal }: PostRequest): ClientRequest {
  const settings: RequestOptions = {
    method: "POST",
    headers: { ...headers, "content-length": String(body.length) },
    agent,
    signal,
    ...(lookup && { lookup }),
    ...(credentials !== undefined && { auth: credentials }),
  }
  const target = new URL(url)
  target.username = target.password = ""
  return url.protocol === "https:" ? httpsRequest(target, settings) : httpRequest(target, settings)
}

function answerOf(request: ClientRequest, { url, body }: PostRequest): Promise<PostAnswer> {
  let isConnected = false
  request.once("socket", (socket) => {
    if (!socket.connecting) isConnected = true
    else socket.once(url.protocol === "https:" ? "secureConnect" : "connect", () => (isConnected = true))
  })
  return new Promise((resolve, reject) => {
    request.on("error", (error) => reject(isConnected ? error : new NotConnectedError(error)))
    request.once("response", (response) => {
      drain(response)
      const { location, "retry-after": retryAfter } = response.headers
      resolve({ status: response.statusCode ?? 0, location, retryAfter })
    })
    request.end(body)
  })
}

/** Reads on, so that the connection can be used again, but not for ever: the request's signal ends what is slow. */
function drain(response: IncomingMessage): void {
  let bytes = 0
  response.on("error", () => undefined)
  response.on("data", (data: Buffer) => {
    bytes += data.length
    if (bytes > MAX_ANSWER_BYTES) response.destroy()
  })
}
