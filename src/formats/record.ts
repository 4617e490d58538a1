import type { ChangeEvent, OutgoingEvent } from "../events/change-event"
import { eventHeaders } from "./event-headers"
import type { EventFormat } from "./format"
import { jsonBody } from "./json-body"

const CONTENT_TYPE = "application/json"

/**
 * The default format: the change's context, its images before and after and what differs, as JSON. The names of the context
 * are in snake_case, those of the images are the entity's. The body of an application's own event is its payload as given.
 *
 * The format throws ChangeEventsError `EVENT_UNSERIALIZABLE` for a payload that JSON cannot hold.
 */
export function record(): EventFormat {
  return (event) => ({
    id: event.id,
    topic: event.topic,
    key: event.key,
    occurredAt: event.occurredAt,
    contentType: CONTENT_TYPE,
    headers: eventHeaders(event, CONTENT_TYPE),
    body: jsonBody(event.topic, event.kind === "change" ? recordBody(event) : event.payload),
  })
}

function recordBody(event: ChangeEvent): object {
  return {
    context: contextBody(event),
    prechange: event.prechange,
    postchange: event.postchange,
    differences: { added: event.differences.added, removed: event.differences.removed },
  }
}

function contextBody(event: OutgoingEvent): object {
  const { userName, requestId, changeContext, changeContextDetail, ...further } = event.context
  const own = {
    user_name: userName,
    timestamp: event.occurredAt.toISOString(),
    request_id: requestId,
    change_context: changeContext,
    change_context_detail: changeContextDetail,
    event_id: event.id,
  }
  const named = Object.entries(further).map(([key, value]) => [snakeCase(key), value] as const)
  return { ...own, ...Object.fromEntries(named.filter(([name]) => !Object.hasOwn(own, name))) }
}

/** `clientAddress` is `client_address`, `userID` is `user_id`; what is in snake case already stays. */
function snakeCase(name: string): string {
  return name
    .replace(/([a-z0-9])([A-Z])/g, "$1_$2")
    .replace(/([A-Z])([A-Z][a-z])/g, "$1_$2")
    .toLowerCase()
}
