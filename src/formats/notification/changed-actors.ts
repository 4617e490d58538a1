import type { ChangeEvent } from "../../events/change-event"

/** Somebody who was put into a list of a resource, or taken out of it: a member of a group. */
export interface Actor {
  readonly actor_id: string
  readonly actor_type: string
  readonly actor_operation: "added" | "removed"
}

/** @param lists the properties that list others, and the type of those */
export function changedActors(
  { differences }: ChangeEvent,
  lists: Readonly<Record<string, string>> = {},
): readonly Actor[] {
  return Object.entries(lists).flatMap(([property, type]) => {
    const after = keysOf(differences.added?.[property])
    const before = keysOf(differences.removed?.[property])
    const added = after.filter((id) => !before.includes(id))
    const removed = before.filter((id) => !after.includes(id))
    return [...removed.map((id) => actor(id, type, "removed")), ...added.map((id) => actor(id, type, "added"))]
  })
}

/** Of one actor the fields that Keystone has; of several, which Keystone tells in a notification each, a list of them. */
export function actorFields(actors: readonly Actor[]): Partial<Actor> | { readonly actors?: readonly Actor[] } {
  return actors.length > 1 ? { actors } : { ...actors[0] }
}

function actor(id: string, type: string, operation: "added" | "removed"): Actor {
  return { actor_id: id, actor_type: type, actor_operation: operation }
}

/** The keys of a relation's list as texts, the parts of a composite one joined by commas. */
function keysOf(list: unknown): readonly string[] {
  if (!Array.isArray(list)) return []
  return list.map((key: unknown) => (typeof key === "object" && key ? Object.values(key).join(",") : String(key)))
}
