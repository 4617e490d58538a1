import type { EventMessage } from "../../events/message"

/** A way to the receiver. Closing is only asked for once. */
export interface SyslogSender {
  send(message: EventMessage): Promise<void>
  close(): Promise<void>
}

/** How winston marks the level and the text of a message for its transports (the package triple-beam). */
export const LEVEL = Symbol.for("level")
export const MESSAGE = Symbol.for("message")

/** Default of `maxMessageBytes`, for a connection and for datagrams. */
export const MAX_STREAM_MESSAGE_BYTES = 65_536
export const MAX_DATAGRAM_MESSAGE_BYTES = 8_192
