import { hostname } from "node:os"
import type { OutgoingEvent } from "../../events/change-event"
import type { EventMessage } from "../../events/message"
import { jsonBody } from "../json-body"
import { eventMessage } from "../parts/event-message"
import type { NotificationOptions } from "./notification-options"

const CONTENT_TYPE = "application/json"

export interface Notification {
  /** Also the topic of the message. */
  readonly eventType: string
  readonly payload: unknown
}

/** Puts notifications of one service on one host into the envelope of OpenStack's messages. */
export type NotificationEnvelope = (event: OutgoingEvent, notification: Notification) => EventMessage

export function notificationEnvelope(options: NotificationOptions): NotificationEnvelope {
  const { service = DEFAULT_SERVICE, host = hostname(), priority = "INFO" } = options
  const publisherId = `${service}.${host}`
  return (event, { eventType, payload }) => {
    const body = {
      event_type: eventType,
      message_id: event.id,
      payload: payload ?? null,
      priority,
      publisher_id: publisherId,
      timestamp: notificationTime(event.occurredAt),
    }
    return eventMessage(event, { topic: eventType, contentType: CONTENT_TYPE, body: jsonBody(event.topic, body) })
  }
}

export const DEFAULT_SERVICE = "identity"

/** `2013-08-29 19:03:45.960000`: UTC without saying so, and without the microseconds when they are zero, as Python writes it. */
export function notificationTime(time: Date): string {
  return pythonTime(time).replace("T", " ").replace(/\.0+$/, "")
}

/** `2013-08-29T19:03:45.960000`. */
export function pythonTime(time: Date): string {
  return time.toISOString().replace("Z", "000")
}
