import { hostname } from "node:os"
import type { OutgoingEvent } from "../events/change-event"
import type { Activity } from "./cadf/activity"
import { applicationActivities } from "./cadf/application-activity"
import { changeActivity } from "./cadf/change-activity"
import { identifierIn, type Identify } from "./cadf/identifier"
import { initiatorOf } from "./cadf/initiator"
import { EVENT_TYPE_URI, SECURITY_SERVICE } from "./cadf/taxonomy"
import type { EventFormat } from "./format"
import { changedResource } from "./notification/changed-resource"
import { DEFAULT_SERVICE, notificationEnvelope, pythonTime } from "./notification/notification"
import { notificationChecks, type NotificationOptions } from "./notification/notification-options"
import { compileOptOut } from "./notification/opt-out"
import { checkFormatOptions, eachOf, listOfTexts, text } from "./parts/format-options"

export interface CadfOptions extends NotificationOptions {
  /** Default: the sign-ins that succeed, or are pending (`identity.authenticate.success`, `….pending`). `[]` sends everything. */
  readonly optOut?: readonly string[]
  /** CADF's type URIs by resource type, besides those of Keystone's own types. Others are `unknown`. */
  readonly typeURIs?: Readonly<Record<string, string>>
  /** The id of the service that reports. Default: one made from service and host. */
  readonly observerId?: string
  /** What the ids of events are made in. Default `openstack`. */
  readonly namespace?: string
  /** Patterns of the topics of application events that tell of a sign-in. Default `*users.user.login*` and `*authenticate`. */
  readonly authenticate?: readonly string[]
}

const checks = {
  ...notificationChecks,
  typeURIs: eachOf(text),
  observerId: text,
  namespace: text,
  authenticate: listOfTexts,
}

/**
 * The audit events of CADF 1.0 in Keystone's envelope, as Keystone sends them by default: who (initiator), did what (action) to
 * what (target), with which outcome and why. A changed row is a success; sign-ins, password changes and refused role assignments come
 * from application events, whose payloads tell `outcome` and `reason`.
 *
 * @throws ChangeEventsError OPTIONS_INVALID. The format itself throws EVENT_UNSERIALIZABLE for a payload that JSON cannot hold.
 */
export function cadf(options: CadfOptions = {}): EventFormat {
  checkFormatOptions("cadf", options, checks)
  const { service = DEFAULT_SERVICE, host = hostname(), namespace = "openstack", typeURIs } = options
  const identify = identifierIn(namespace)
  const observer = { id: options.observerId ?? identify(`${service}.${host}`), typeURI: SECURITY_SERVICE }
  const inEnvelope = notificationEnvelope(options)
  const isOptedOut = compileOptOut(
    options.optOut ?? [`${service}.authenticate.success`, `${service}.authenticate.pending`],
  )
  const { authenticate = ["*users.user.login*", "*authenticate"] } = options
  const applicationActivity = applicationActivities({ service, identify, typeURIs, authenticate })

  const activityOf = (event: OutgoingEvent): Activity | undefined => {
    if (event.kind === "application") return applicationActivity(event)
    const resource = changedResource(event, options, "cadf")
    return resource && changeActivity(event, resource, { service, identify, typeURIs })
  }

  return (event) => {
    const activity = activityOf(event)
    if (!activity || isOptedOut(activity.eventType, activity.outcome, activity.otherName)) return undefined
    return inEnvelope(event, { eventType: activity.eventType, payload: cadfEvent(event, activity, identify, observer) })
  }
}

function cadfEvent(event: OutgoingEvent, activity: Activity, identify: Identify, observer: object): object {
  const { action, outcome, target, user, reason, attachments, further } = activity
  const initiator = initiatorOf(event.context, user, identify(`anonymous:${event.context.requestId}`))
  return {
    typeURI: EVENT_TYPE_URI,
    eventType: "activity",
    id: identify(event.id),
    eventTime: `${pythonTime(event.occurredAt)}+0000`,
    action,
    outcome,
    observer,
    ...(initiator && { initiator }),
    target,
    ...(reason && { reason }),
    ...(attachments && { attachments }),
    ...further,
  }
}
