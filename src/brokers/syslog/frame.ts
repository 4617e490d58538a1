import { ChangeEventsError } from "../../errors"

export type Framing = "octet-counting" | "newline"

/**
 * The message as a stream carries it, so that the receiver finds its end: RFC 6587, 3.4.1 and 3.4.2.
 *
 * @throws PUBLISH_FAILED (not retryable) for a line break within a line.
 */
export function framed(message: string, framing: Framing): string {
  if (framing === "octet-counting") return `${Buffer.byteLength(message)} ${message}`
  return `${singleLine(message)}\n`
}

/** @throws PUBLISH_FAILED (not retryable) when the text has a line break. */
export function singleLine(message: string): string {
  if (!/[\n\0]/.test(message)) return message
  const reason = 'the message has a line break, and its receiver reads lines; use `framing: "octet-counting"`'
  throw new ChangeEventsError("PUBLISH_FAILED", reason, { retryable: false })
}
