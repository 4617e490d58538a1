import type { ChangeEvent, OutgoingEvent } from "../../events/change-event"

/** What the format `record` writes down: the change, or the payload of an application's own event as given. */
export function recordBody(event: OutgoingEvent): unknown {
  return event.kind === "change" ? changeBody(event) : event.payload
}

function changeBody(event: ChangeEvent): object {
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
  if (Object.keys(further).length === 0) return own
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
