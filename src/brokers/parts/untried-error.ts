import { ChangeEventsError } from "../../errors"

/**
 * What became of a message of a batch that was not sent, since one before it was refused. Nobody has judged it, so it costs no
 * attempt.
 */
export function untriedError(broker: string): ChangeEventsError {
  const message = `${broker} did not send the message: one before it in the batch was refused`
  return new ChangeEventsError("BROKER_UNAVAILABLE", message, { details: { isUntried: true } })
}
