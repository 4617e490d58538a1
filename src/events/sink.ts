import type { OutgoingEvent } from "./change-event"

/**
 * An event whose images are still as the driver gave them. Reading them costs more than capturing them, so it is left to
 * whoever delivers, outside the request.
 */
export interface PendingEvent {
  readonly id: string
  readonly topic: string
  /** Whether it stays in this process: listeners get it, brokers do not. Default false. */
  readonly isInternal?: boolean
  /** Whether it is none yet: just before the COMMIT others take its place. Default false. */
  readonly isDeferred?: boolean
  /** About what it holds in memory, in bytes. */
  readonly sizeBytes: number
  /** The event, or undefined when nothing differs after all. Gives an equal event each time. Throws if a value cannot be read. */
  resolve(): OutgoingEvent | undefined
}

/** What capture hands committed events to. Direct and outbox delivery differ by the sink alone. Must not throw nor wait. */
export interface EventSink {
  /** The events of one committed transaction, in the order of its statements. */
  accept(events: readonly PendingEvent[]): void
}
