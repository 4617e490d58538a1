import type { DataSource } from "typeorm"
import type { ChangeEvents } from "./change-events"
import type { ChangeLogTables } from "./outbox/change-log-tables"
import type { OutboxOptions } from "./outbox/outbox-options"
import { sharedState } from "./runtime/shared-state"

/** What a subscriber belongs to. */
export interface SubscribedChanges {
  readonly changes: ChangeEvents
  /** Undefined with direct delivery. */
  readonly tables: ChangeLogTables | undefined
  readonly outbox: OutboxOptions
}

/** By the subscriber's class. The command line may be another copy of this package than the application's. */
const subscribed = sharedState("subscribed", () => new WeakMap<object, SubscribedChanges>())

export function rememberSubscribed(subscriber: object, changes: SubscribedChanges): void {
  subscribed.set(subscriber, changes)
}

/** What captures the DataSource, if anything does. */
export function subscribedChanges(dataSource: DataSource): SubscribedChanges | undefined {
  const listed = Object.values(dataSource.options.subscribers ?? []) as readonly unknown[]
  for (const subscriber of listed) {
    const known = typeof subscriber === "function" ? subscribed.get(subscriber) : undefined
    if (known) return known
  }
  return undefined
}
