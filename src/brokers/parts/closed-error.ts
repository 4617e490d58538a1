import { ChangeEventsError } from "../../errors"

/** What publishing to a closed broker rejects with. Retryable: another process may still deliver the message. */
export function closedError(broker: string): ChangeEventsError {
  return new ChangeEventsError("BROKER_CLOSED", `${broker} is closed; the message was not published`)
}
