import { ChangeEventsError } from "../../errors"
import type { EventMessage } from "../../events/message"

type TextName = "id" | "topic" | "key" | "contentType" | "body"

/**
 * A format of the user's may give anything: what goes wrong while a batch is being written would be held against the connection, and be tried forever.
 *
 * @throws PUBLISH_FAILED, not to be tried again
 */
export function requireTexts(message: EventMessage, names: readonly TextName[]): void {
  const missing = names.find((name) => typeof message[name] !== "string")
  if (missing === undefined) return
  throw new ChangeEventsError("PUBLISH_FAILED", `the message has no text \`${missing}\``, { retryable: false })
}
