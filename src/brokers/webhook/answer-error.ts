import { ChangeEventsError } from "../../errors"
import type { PostAnswer } from "./post"

/** Try it later, say these; the receiver has not looked at the message. */
const NOT_NOW = [429, 502, 503, 504]

/** Of the answers that blame the request, these blame the moment. */
const RETRYABLE = [408, 409, 425]

/** Undefined when the receiver has accepted. `host` alone is told: a path is often the secret of its hook. */
export function answerError(answer: PostAnswer, host: string, now: Date): ChangeEventsError | undefined {
  const { status } = answer
  if (status >= 200 && status < 300) return undefined
  const details = { status, ...retryAfter(answer, now) }
  if (NOT_NOW.includes(status)) {
    return new ChangeEventsError("BROKER_UNAVAILABLE", `${host} does not take messages just now: ${status}`, {
      details,
    })
  }
  const isFinal = status >= 400 && status < 500 && !RETRYABLE.includes(status)
  const hint = status >= 300 && status < 400 ? ", a redirect that is not followed" : ""
  const message = `${host} answered ${status}${hint}`
  return new ChangeEventsError("PUBLISH_FAILED", message, { details, retryable: !isFinal })
}

/** The header Retry-After, which is a number of seconds or a date. */
function retryAfter({ retryAfter: value }: PostAnswer, now: Date): { readonly retryAfterMs?: number } {
  if (value === undefined) return {}
  const delayMs = /^\d+$/.test(value) ? Number(value) * 1_000 : Date.parse(value) - now.getTime()
  return Number.isFinite(delayMs) ? { retryAfterMs: Math.max(0, delayMs) } : {}
}
