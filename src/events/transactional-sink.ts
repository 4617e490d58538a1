import type { PendingEvent } from "./sink"

export interface SqlStatement {
  /** To be prepared under; the same text always has the same name. */
  readonly name: string
  readonly text: string
  readonly values: readonly unknown[]
}

/** Where a statement that changes too many rows to bring them here writes them down itself. */
export interface ServerSideLog {
  /** Table, quoted, with the columns `id` and `body`: what the statement's rows share. */
  readonly statement: string
  /** Table, quoted, with the columns `key`, `statement_id`, `old_row` and `new_row`. */
  readonly log: string
}

/** Writes the events of a transaction down by that transaction itself, so that they stand if and only if it commits. */
export interface TransactionalSink {
  readonly serverSide: ServerSideLog
  /** Most events that one statement takes; a transaction that holds so many writes them before it goes on. */
  readonly maxEvents: number
  /**
   * The statement that writes these events, at most `maxEvents`, in their order; undefined when none of them is to be kept. Does not throw:
   * an event that cannot be read is written down as such.
   */
  insert(events: readonly PendingEvent[]): SqlStatement | undefined
}
