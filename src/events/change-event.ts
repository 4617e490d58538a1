import type { Differences } from "./differences"
import type { EventContext } from "./event-context"

export type ChangeAction = "create" | "update" | "delete"

/** A row as JSON holds it: property names of the entity, dates as ISO 8601 UTC, bigint and numeric as text, bytes as base64. */
export type ChangeRecord = Readonly<Record<string, unknown>>

/** What every event has, whoever made it. */
interface EventBase {
  /** UUID version 7, fixed when the change was captured: the same at every broker and at every retry. */
  readonly id: string
  readonly topic: string
  /** What the order is kept for: `<app>.<model>:<primary key>`, or the topic of an application's own event. */
  readonly key: string
  readonly occurredAt: Date
  readonly context: EventContext
}

/** One committed change of one row. */
export interface ChangeEvent extends EventBase {
  readonly kind: "change"
  readonly action: ChangeAction
  /** The name that this update has by the entity's option `transitions`, such as `disabled`. */
  readonly transition?: string
  readonly app: string
  readonly model: string
  /** The row before, or null for a create. */
  readonly prechange: ChangeRecord | null
  /** The row after, or null for a delete. */
  readonly postchange: ChangeRecord | null
  readonly differences: Differences
}

/** An application's own event, published with `changes.publish`. */
export interface ApplicationEvent extends EventBase {
  readonly kind: "application"
  readonly payload: unknown
}

export type OutgoingEvent = ChangeEvent | ApplicationEvent
