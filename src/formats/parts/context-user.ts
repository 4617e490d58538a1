import type { EventContext } from "../../events/event-context"

/** Whom a context names, as far as it does. */
export interface ContextUser {
  readonly id?: string
  readonly name?: string
}

/** The context's `userName`, and its further key `userId`; undefined when nobody is known. */
export function contextUser(context: EventContext): ContextUser | undefined {
  const id = plainText(context["userId"])
  const name = context.userName ?? undefined
  if (id === undefined && name === undefined) return undefined
  return { ...(id === undefined ? {} : { id }), ...(name === undefined ? {} : { name }) }
}

/** A text or a number as text; undefined for everything else, and for the empty text. */
export function plainText(value: unknown): string | undefined {
  if (typeof value === "number" && Number.isFinite(value)) return String(value)
  return typeof value === "string" && value !== "" ? value : undefined
}
