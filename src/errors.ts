import { isNativeError } from "node:util/types"

/**
 * Every code this package throws or reports. docs/errors.md says, for each, what happened and the way out; a test compares
 * the two.
 */
export const errorCodes = [
  "OPTIONS_INVALID",
  "CONTEXT_INVALID",
  "BROKER_NAME_TAKEN",
  "BROKER_UNKNOWN",
  "BROKER_INVALID",
  "BROKER_CLIENT_MISSING",
  "BROKER_CLOSED",
  "BROKER_UNAVAILABLE",
  "PUBLISH_FAILED",
  "PUBLISH_TIMEOUT",
  "MESSAGE_TOO_LARGE",
  "QUEUE_FULL",
  "LISTENER_FAILED",
  "EVENT_UNSERIALIZABLE",
  "RECORD_INVALID",
  "FLUSH_TIMEOUT",
  "CHANGES_CLOSED",
  "TYPEORM_UNSUPPORTED",
  "DATA_SOURCE_UNSUPPORTED",
  "DATA_SOURCE_TAKEN",
  "DATA_SOURCE_NOT_ATTACHED",
  "WRITE_UNCAPTURED",
  "ENTITY_UNCAPTURED",
  "FOREIGN_KEYS_UNSEEN",
  "IMMUTABLE_ENTITY",
  "COMMIT_OUTCOME_UNKNOWN",
  "CAPTURE_FAILED",
  "OUTBOX_WRITE_FAILED",
  "OUTBOX_OFF",
  "CHANGE_LOG_MISSING",
  "CHANGE_LOG_VERSION",
  "CHANGE_LOG_DENIED",
  "CHANGE_LOG_FOREIGN",
  "CHANGE_LOG_OWN",
  "CHANGE_LOG_READ_ONLY",
  "RELAY_WITHOUT_BROKERS",
  "RELAY_FAILED",
  "LEASE_LOST",
  "DEAD_LETTER_UNKNOWN",
  "INBOX_WITHOUT_TRANSACTION",
  "TRIGGERS_IMPOSSIBLE",
  "TRIGGERS_STALE",
  "COVERAGE_INCOMPLETE",
  "COMMAND_INVALID",
  "DATA_SOURCE_NOT_LOADED",
  "TYPESCRIPT_UNSUPPORTED",
  "FILE_NOT_WRITTEN",
] as const

export type ErrorCode = (typeof errorCodes)[number]

export interface ErrorDetails {
  readonly [key: string]: unknown
}

/** The only error this package throws. `details` never holds a value of a record, so that it may be logged. */
export class ChangeEventsError extends Error {
  override readonly name = "ChangeEventsError"
  readonly code: ErrorCode
  readonly details: ErrorDetails
  /** False when trying again is useless, such as for a message that is too large for its broker. Default true. */
  readonly retryable: boolean

  constructor(
    code: ErrorCode,
    message: string,
    options: { cause?: unknown; details?: ErrorDetails; retryable?: boolean } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.details = options.details ?? {}
    this.retryable = options.retryable ?? true
  }

  /** How long the broker asked to be left alone, in milliseconds; undefined: it did not say. */
  get retryAfterMs(): number | undefined {
    const { retryAfterMs } = this.details
    return typeof retryAfterMs === "number" ? retryAfterMs : undefined
  }
}

/** The thrown value as an Error, also when somebody threw a string. */
export function asError(thrown: unknown): Error {
  return isNativeError(thrown) || thrown instanceof Error ? thrown : new Error(String(thrown))
}
