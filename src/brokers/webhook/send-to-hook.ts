import type { Agent as HttpAgent } from "node:http"
import type { Agent as HttpsAgent } from "node:https"
import { asError, ChangeEventsError } from "../../errors"
import type { EventMessage } from "../../events/message"
import { answerError } from "./answer-error"
import { NotConnectedError, post, type PostAnswer } from "./post"
import { isPrivateHost, PrivateAddressError, publicLookup } from "./public-address"
import { redirectTarget } from "./redirect"
import { contentTypeValue, eventRequestHeaders, headerValue } from "./request-headers"
import { webhookSignature } from "./signature"

/** Where messages go, and how. */
export interface Hook {
  readonly url: URL
  readonly keys: readonly Buffer[]
  readonly timeoutMs: number
  readonly maxRedirects: number
  readonly allowPrivateAddresses: boolean
  readonly agents: { readonly http: HttpAgent; readonly https: HttpsAgent }
}

/** One message, on its way to one address after another. */
interface Sending {
  readonly hook: Hook
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
  readonly signal: AbortSignal
}

/** Resolves when the receiver has accepted. @throws BROKER_UNAVAILABLE, PUBLISH_TIMEOUT, PUBLISH_FAILED */
export async function sendToHook(hook: Hook, message: EventMessage): Promise<void> {
  const sending = {
    hook,
    headers: signedHeaders(hook, message),
    body: Buffer.from(message.body),
    signal: AbortSignal.timeout(hook.timeoutMs),
  }
  let url = hook.url
  for (let redirects = 0; ; redirects++) {
    const answer = await postTo(url, sending)
    const target = redirects < hook.maxRedirects ? redirectTarget(answer.status, answer.location, url) : undefined
    if (target === undefined) {
      const error = answerError(answer, url.host, new Date())
      if (error) throw error
      return
    }
    url = target
  }
}

function signedHeaders(hook: Hook, message: EventMessage): Readonly<Record<string, string>> {
  const id = headerValue(message.id)
  const timestamp = Math.floor(Date.now() / 1_000)
  return {
    // A format of the user's own may give no headers, and a receiver must know what a message is about.
    ...eventRequestHeaders({
      ...message,
      headers: { "event-type": message.topic, "event-key": message.key, ...message.headers },
    }),
    "content-type": contentTypeValue(message.contentType),
    "webhook-id": id,
    "webhook-timestamp": String(timestamp),
    "webhook-signature": webhookSignature({ id, timestamp, body: message.body }, hook.keys),
  }
}

async function postTo(url: URL, { hook, headers, body, signal }: Sending): Promise<PostAnswer> {
  const { allowPrivateAddresses, agents } = hook
  try {
    // A socket looks up names only, so nobody else sees an address that stands in the url.
    if (!allowPrivateAddresses && isPrivateHost(url)) throw new NotConnectedError(new PrivateAddressError(url.hostname))
    return await post({
      url,
      headers,
      body,
      credentials: url.origin === hook.url.origin ? credentialsOf(hook.url) : undefined,
      agent: url.protocol === "https:" ? agents.https : agents.http,
      lookup: allowPrivateAddresses ? undefined : publicLookup,
      signal,
    })
  } catch (thrown) {
    throw connectionError(asError(thrown), url, hook)
  }
}

function credentialsOf({ username, password }: URL): string | undefined {
  return username === "" && password === "" ? undefined : `${decoded(username)}:${decoded(password)}`
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

function connectionError(error: Error, { host }: URL, { timeoutMs, url: first }: Hook): ChangeEventsError {
  const details = { host }
  const isLate =
    error.name === "AbortError" || (error instanceof NotConnectedError && error.cause.name === "AbortError")
  if (!(error instanceof NotConnectedError)) {
    return isLate
      ? new ChangeEventsError("PUBLISH_TIMEOUT", `${host} did not answer within ${timeoutMs} ms`, { details })
      : new ChangeEventsError("PUBLISH_FAILED", `${host} broke the connection: ${error.message}`, {
          cause: error,
          details,
        })
  }
  const { cause } = error
  if (cause instanceof PrivateAddressError && host !== first.host) {
    const message = `a redirect leads to ${host}, which has a private address`
    return new ChangeEventsError("PUBLISH_FAILED", message, { cause, details })
  }
  const reason = isLate ? `no connection within ${timeoutMs} ms` : cause.message
  return new ChangeEventsError("BROKER_UNAVAILABLE", `${host} cannot be reached: ${reason}`, { cause, details })
}
