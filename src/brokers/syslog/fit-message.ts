import { ChangeEventsError } from "../../errors"

/** What happens to a message that is larger than its receiver takes. */
export type Oversize = "reject" | "truncate"

/**
 * The header and as much of the body as fits into `maxBytes`. A body that is cut says so at its end, and is cut between two
 * characters.
 *
 * @throws MESSAGE_TOO_LARGE (not retryable) when it does not fit and may not be cut.
 */
export function fitMessage(header: string, body: string, maxBytes: number, oversize: Oversize): string {
  const bytes = Buffer.byteLength(header) + Buffer.byteLength(body)
  if (bytes <= maxBytes) return header + body
  const marker = `…[truncated, the whole message has ${bytes} bytes]`
  const room = maxBytes - Buffer.byteLength(header) - Buffer.byteLength(marker)
  if (oversize === "reject" || room < 0) throw tooLarge(bytes, maxBytes)
  return header + beginning(body, room) + marker
}

/** The longest beginning of the text that takes at most so many bytes of UTF-8. */
function beginning(text: string, maxBytes: number): string {
  const bytes = Buffer.from(text)
  let end = maxBytes
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--
  return bytes.subarray(0, end).toString()
}

export function tooLarge(bytes: number, maxBytes: number, cause?: unknown): ChangeEventsError {
  const message = `the syslog message has ${bytes} bytes, ${maxBytes} are allowed (maxMessageBytes)`
  return new ChangeEventsError("MESSAGE_TOO_LARGE", message, { cause, details: { bytes, maxBytes }, retryable: false })
}
