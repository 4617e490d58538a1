import { ChangeEventsError } from "../../errors"
import { withoutCommand } from "./redis-connection"

/**
 * Answers of a server that is there, but cannot serve just now: it would give them to any message. A replica that was a primary
 * (READONLY), a disk that is full (MISCONF) and a password that was changed (NOAUTH) are put right by somebody.
 */
const NOT_NOW = /^(LOADING|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|BUSY|OOM|READONLY|MISCONF|NOREPLICAS|NOAUTH)\b/

/** Redis' own answers come as a ReplyError (ErrorReply, SimpleError in node-redis); anything else is a broken connection. */
export function isAnswer(error: Error): boolean {
  return /^(ReplyError|ErrorReply|SimpleError)$/.test(error.constructor.name)
}

export function publishError(error: Error): ChangeEventsError {
  if (error instanceof ChangeEventsError) return error
  const cause = withoutCommand(error)
  if (isAnswer(error) && !NOT_NOW.test(error.message)) {
    return new ChangeEventsError("PUBLISH_FAILED", `Redis refused the message: ${error.message}`, { cause })
  }
  return new ChangeEventsError("BROKER_UNAVAILABLE", `Redis did not take the message: ${error.message}`, { cause })
}

/**
 * For a message that a server may hang up on, and not answer: as an outage it would be waited for forever, and all that follow with
 * it.
 */
export function largeMessageError(error: Error, bytes: number): ChangeEventsError {
  if (error instanceof ChangeEventsError || isAnswer(error)) return publishError(error)
  const message = `the connection was lost while Redis was sent ${bytes} bytes; is its proto-max-bulk-len smaller?`
  return new ChangeEventsError("PUBLISH_FAILED", message, { cause: withoutCommand(error), details: { bytes } })
}

export function timeoutError(timeoutMs: number): ChangeEventsError {
  return new ChangeEventsError("PUBLISH_TIMEOUT", `Redis did not answer within ${timeoutMs} ms`, {
    details: { timeoutMs },
  })
}

/** Whether the server has become a replica: only a new connection can find out who is the primary now. */
export function isReplicaError(error: Error): boolean {
  return error.cause instanceof Error && error.cause.message.startsWith("READONLY")
}
