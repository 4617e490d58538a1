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
  return { error, code, isRetryable: (error as { retryable?: unknown }).retryable !== false, isOutage }
}

function isOutageCode(code: string | undefined): boolean {
  return code !== undefined && OUTAGE_CODES.has(code)
}

function codeOf(value: unknown): string | undefined {
  if (typeof value !== "object" || value === null) return undefined
  const { code } = value as { code?: unknown }
  return typeof code === "string" ? code : undefined
}
