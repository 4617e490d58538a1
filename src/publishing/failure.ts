import { asError } from "../errors"

/** What went wrong with one message, read once from whatever was thrown. */
export interface Failure {
  readonly error: Error
  /** The error's own code, such as `ECONNREFUSED` or `MESSAGE_TOO_LARGE`, if it has one. */
  readonly code: string | undefined
  /** False when the broker said that trying again is useless. */
  readonly isRetryable: boolean
  /** True when nobody was there to judge the message: trying was no attempt at it. */
  readonly isOutage: boolean
  /** How long the broker asked to be left alone, in milliseconds; 0: it did not say. */
  readonly retryAfterMs: number
}

/**
 * What says that no message got as far as the broker. A reset connection is not among them: a message may be what makes the
 * broker hang up.
 */
const OUTAGE_CODES: ReadonlySet<string> = new Set([
  "BROKER_UNAVAILABLE",
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
])

/** How long to leave the broker alone because one of these failures asks for it, in milliseconds, up to the limit. */
export function retryAfterMsOf(failures: readonly (Failure | undefined)[], limitMs: number): number {
  let askedMs = 0
  for (const failure of failures) if (failure) askedMs = Math.max(askedMs, failure.retryAfterMs)
  return Math.min(limitMs, askedMs)
}

/** Never throws, also when somebody threw an object whose properties throw. */
export function readFailure(thrown: unknown): Failure {
  try {
    return failureOf(asError(thrown))
  } catch {
    return failureOf(new Error("an error that cannot be read"))
  }
}

function failureOf(error: Error): Failure {
  // Read here, under guard, so that nobody further on meets a message that throws or is none.
  if (typeof error.message !== "string") throw new TypeError("message is no text")
  const code = codeOf(error)
  const isOutage = isOutageCode(code) || isOutageCode(codeOf(error.cause))
  const { retryable, retryAfterMs } = error as { retryable?: unknown; retryAfterMs?: unknown }
  return { error, code, isRetryable: retryable !== false, isOutage, retryAfterMs: millisecondsOf(retryAfterMs) }
}

function millisecondsOf(value: unknown): number {
  return typeof value === "number" && Number.isFinite(value) ? Math.max(0, value) : 0
}

function isOutageCode(code: string | undefined): boolean {
  return code !== undefined && OUTAGE_CODES.has(code)
}

function codeOf(value: unknown): string | undefined {
  if (typeof value !== "object" || value === null) return undefined
  const { code } = value as { code?: unknown }
  return typeof code === "string" ? code : undefined
}
