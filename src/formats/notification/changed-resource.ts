import type { ChangeAction, ChangeEvent } from "../../events/change-event"
import { textFrom } from "../parts/format-options"
import { resourceId } from "../parts/resource-id"
import { changedActors, type Actor } from "./changed-actors"
import type { NotificationOptions } from "./notification-options"

/** What was done to which resource. */
export interface ChangedResource {
  readonly type: string
  readonly id: string
  /** `created`, `updated`, `deleted`, or the name of a transition such as `disabled`. */
  readonly operation: string
  /** `user.create`: how Keystone's documents write `user.created` once, so that an opt-out may be written like it. */
  readonly otherName?: string
  readonly actors: readonly Actor[]
}

export const ROLE_ASSIGNMENT = "role_assignment"

const OPERATIONS: Readonly<Record<ChangeAction, string>> = { create: "created", update: "updated", delete: "deleted" }

/** Undefined for an update of an immutable type: it is not notified. */
export function changedResource(
  event: ChangeEvent,
  { resourceType, immutable, actors }: NotificationOptions,
  format: string,
): ChangedResource | undefined {
  const type = resourceType ? textFrom(format, "resourceType", resourceType(event)) : defaultType(event)
  if (event.action === "update" && immutable?.includes(type)) return undefined
  const operation = event.transition ?? OPERATIONS[event.action]
  const lists = actors && Object.hasOwn(actors, type) ? actors[type] : undefined
  return {
    type,
    id: resourceId(event),
    operation,
    ...(event.transition === undefined ? { otherName: `${type}.${event.action}` } : {}),
    actors: operation === "updated" ? changedActors(event, lists) : [],
  }
}

function defaultType({ model }: ChangeEvent): string {
  return model === "roleassignment" ? ROLE_ASSIGNMENT : model
}
