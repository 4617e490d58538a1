import type { OutgoingEvent } from "../../events/change-event"
import type { EventMessage } from "../../events/message"
import { eventHeaders } from "../event-headers"

export interface MessageParts {
  readonly contentType: string
  readonly body: string
  /** Default: the event's. */
  readonly topic?: string
  /** Headers beside those of every message. Default: none. */
  readonly headers?: Readonly<Record<string, string>>
}

/** The message of an event: what its format does not say is the event's. */
export function eventMessage(
  event: OutgoingEvent,
  { contentType, body, topic = event.topic, headers }: MessageParts,
): EventMessage {
  return {
    id: event.id,
    topic,
    key: event.key,
    occurredAt: event.occurredAt,
    contentType,
    headers: { ...eventHeaders({ ...event, topic }, contentType), ...headers },
    body,
  }
}
