import type { EventFormat } from "./format"
import { actorFields } from "./notification/changed-actors"
import { changedResource } from "./notification/changed-resource"
import { DEFAULT_SERVICE, notificationEnvelope } from "./notification/notification"
import { notificationChecks, type NotificationOptions } from "./notification/notification-options"
import { compileOptOut } from "./notification/opt-out"
import { requestIds } from "./notification/request-ids"
import { toldOutcome } from "./notification/told-outcome"
import { checkFormatOptions } from "./parts/format-options"

export type KeystoneOptions = NotificationOptions

/**
 * Keystone's notifications in their basic form: `identity.<resource type>.created|updated|deleted`, which is also the message's
 * topic, with the primary key as `payload.resource_info`. Of the values of the row nothing is told. An application's own event
 * has its topic as the event type, and its payload.
 *
 * @throws ChangeEventsError OPTIONS_INVALID. The format itself throws EVENT_UNSERIALIZABLE for a payload that JSON cannot hold.
 */
export function keystone(options: KeystoneOptions = {}): EventFormat {
  checkFormatOptions("keystone", options, notificationChecks)
  const { service = DEFAULT_SERVICE } = options
  const inEnvelope = notificationEnvelope(options)
  const isOptedOut = compileOptOut(options.optOut ?? [])
  return (event) => {
    if (event.kind === "application") {
      if (isOptedOut(event.topic, toldOutcome(event.payload))) return undefined
      return inEnvelope(event, { eventType: event.topic, payload: event.payload })
    }
    const resource = changedResource(event, options, "keystone")
    if (!resource) return undefined
    const eventType = `${service}.${resource.type}.${resource.operation}`
    if (isOptedOut(eventType, "success", resource.otherName && `${service}.${resource.otherName}`)) return undefined
    const payload = { resource_info: resource.id, ...actorFields(resource.actors), ...requestIds(event.context) }
    return inEnvelope(event, { eventType, payload })
  }
}
