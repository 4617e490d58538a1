import type { OutgoingEvent } from "../../events/change-event"
import type { EventContext } from "../../events/event-context"
import { contextUser } from "../parts/context-user"

/** The context attributes of a CloudEvent, extensions last. */
export type CloudEventAttributes = Readonly<Record<string, string>>

/** What the options say of an event. */
export interface GivenAttributes {
  readonly source: string
  readonly type: string
  readonly dataschema: string | undefined
  readonly sequence: string | undefined
}

export function attributesOf(event: OutgoingEvent, given: GivenAttributes): CloudEventAttributes {
  const { traceparent } = event.context
  const attributes = {
    specversion: "1.0",
    id: event.id,
    source: given.source,
    type: given.type,
    subject: event.kind === "change" ? event.key : undefined,
    time: event.occurredAt.toISOString(),
    datacontenttype: "application/json",
    dataschema: given.dataschema,
    partitionkey: event.key,
    sequence: given.sequence,
    traceparent,
    ...authContext(event.context),
  }
  const known = Object.entries(attributes).filter(([, value]) => value !== undefined)
  return Object.fromEntries(known) as CloudEventAttributes
}

/** A request without a user was not authenticated; of a job's or script's writer nothing is known. */
function authContext(context: EventContext): { readonly authtype: string; readonly authid?: string | undefined } {
  const user = contextUser(context)
  if (user) return { authtype: "app_user", authid: user.id ?? user.name }
  return { authtype: context.changeContext === "Web" ? "unauthenticated" : "unknown" }
}
