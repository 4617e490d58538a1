import { Agent as HttpAgent } from "node:http"
import { Agent as HttpsAgent } from "node:https"
import type { ConnectionOptions } from "node:tls"
import type { EventBroker } from "./broker"
import { closedError } from "./parts/closed-error"
import { checkWebhookOptions } from "./webhook/check-webhook-options"
import { sendToHook, type Hook } from "./webhook/send-to-hook"
import { signingKey } from "./webhook/signature"

export interface WebhookBrokerOptions {
  /** `https://host/path` or `http://…`. A user and a password in it are sent as `authorization: Basic`. No error tells more than the host. */
  readonly url: string
  /**
   * `whsec_` and the base64 of 24 to 64 random bytes, which the receiver knows too. Several while one replaces another: each message is
   * signed with all of them.
   */
  readonly secret: string | readonly string[]
  /** How long the receiver may take to answer, redirects included, in milliseconds. Default 5 000. */
  readonly timeoutMs?: number
  /** Whether redirects are followed, at most three in a row, and never from https to http. Default false. */
  readonly followRedirects?: boolean
  /**
   * Whether the url, or a redirect, may lead to this machine or a private network. Leave it off when a url comes from somebody else:
   * they would read what only your servers may (SSRF). Default false.
   */
  readonly allowPrivateAddresses?: boolean
  /** For https://: `ca`, `cert`, `key`, … as in Node. The receiver's certificate is checked unless `rejectUnauthorized` is false. */
  readonly tls?: ConnectionOptions
}

/**
 * Sends each message in a POST of its own, signed as Standard Webhooks says (`webhook-id`, `webhook-timestamp`, `webhook-signature`).
 * Accepted means that the receiver has answered with a status from 200 to 299. Who receives a message twice knows it by `webhook-id`.
 *
 * @throws OPTIONS_INVALID. Its publish rejects with BROKER_UNAVAILABLE (not connected, a private address, or 429, 502, 503, 504),
 * PUBLISH_TIMEOUT (no answer), PUBLISH_FAILED (any other answer, or a connection that broke; not retryable for 4xx but 408, 409 and
 * 425), BROKER_CLOSED.
 */
export function webhookBroker(options: WebhookBrokerOptions): Required<Pick<EventBroker, "publish" | "close">> {
  checkWebhookOptions(options)
  const hook = hookOf(options)
  let closed = false
  return {
    async publish(message) {
      if (closed) throw closedError("webhookBroker")
      await sendToHook(hook, message)
    },
    async close() {
      closed = true
      for (const agent of Object.values(hook.agents)) agent.destroy()
    },
  }
}

function hookOf(options: WebhookBrokerOptions): Hook {
  const { timeoutMs = 5_000, followRedirects = false, allowPrivateAddresses = false, tls } = options
  return {
    url: new URL(options.url),
    keys: [options.secret].flat().map((secret) => signingKey(secret) as Buffer),
    timeoutMs,
    maxRedirects: followRedirects ? 3 : 0,
    allowPrivateAddresses,
    agents: { http: new HttpAgent({ keepAlive: true }), https: new HttpsAgent({ ...tls, keepAlive: true }) },
  }
}
