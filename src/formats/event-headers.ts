import type { OutgoingEvent } from "../events/change-event"

/**
 * What every message carries beside its body, whatever the body's format: `event-id`, `event-type` (the topic), `event-key`,
 * `content-type`, and `traceparent` when the request had one. The values are as the event has them: a broker whose protocol
 * forbids some characters in headers encodes them.
 */
export function eventHeaders(event: OutgoingEvent, contentType: string): Readonly<Record<string, string>> {
  const { traceparent } = event.context
  return {
    "event-id": event.id,
    "event-type": event.topic,
    "event-key": event.key,
    "content-type": contentType,
    ...(traceparent === undefined ? {} : { traceparent }),
  }
}
