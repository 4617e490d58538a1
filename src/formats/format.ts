import type { OutgoingEvent } from "../events/change-event"
import type { EventMessage } from "../events/message"

/**
 * Event in, message out: pure, so that the same event always gives the same bytes. Undefined means that this format has no
 * such message.
 */
export type EventFormat = (event: OutgoingEvent) => EventMessage | undefined
