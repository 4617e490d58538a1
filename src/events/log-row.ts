import type { ChangeAction, OutgoingEvent } from "./change-event"
import type { EventContext } from "./event-context"

/** One row of the log, as the relay reads it: either `event` and `record`, or `body`, `oldRow` and `newRow`. */
export interface LogRow {
  readonly id: bigint
  readonly key: string
  readonly writtenAt: Date
  /** JSON of an EventEnvelope. */
  readonly event: string | null
  /** The body of the format `record`. Null with an `event`: the row could not be written down. */
  readonly record: string | null
  /** JSON of a StatementBody. */
  readonly body: string | null
  /** The row as `ROW(…)::text` gives it: every column by its type's output function. */
  readonly oldRow: string | null
  readonly newRow: string | null
}

/** What stands beside the record, in the column `event`. */
export interface EventEnvelope {
  readonly id: string
  readonly kind: "change" | "application"
  readonly topic: string
  readonly key: string
  /** ISO 8601 UTC. */
  readonly occurredAt: string
  readonly context: EventContext
  /** Of a change. */
  readonly action?: ChangeAction
  readonly transition?: string
  readonly app?: string
  readonly model?: string
  /** Why there is no record. */
  readonly fault?: string
}

/** What the rows of one statement share, in the column `body`. */
export interface StatementBody {
  readonly entity: string
  /** Of a trigger's rows each says by itself which it is: with no old one an insert, with no new one a delete. */
  readonly kind: "insert" | "upsert" | "update" | "delete" | "trigger"
  readonly context: EventContext
  /** Database names, in the order of `old_row` and `new_row`. */
  readonly columns: readonly string[]
  /** Their types' object identifiers, as the driver's parsers know them: of a domain that of its base type. */
  readonly types: readonly number[]
  /** Of a trigger: the context as JSON that the writing session told, if it did. Anybody may have, so it may be anything. */
  readonly told?: string | null
  /** Of a many-to-many relation's change: behind the columns of its row stands what it lists, as a JSON array of keys, each an array of texts. */
  readonly relation?: { readonly junction: string; readonly path: string }
  /** Of an upsert: whether it overwrites the primary key, by which its old and new row would be told to be one. Default false. */
  readonly overwritesKey?: boolean
}

/**
 * The events of a row that the server wrote: none if nothing differs, several if an update has names of its own. Their ids are made of the
 * row's and of `origin`, the database's identity, so that they are the same each time. Throws if the row cannot be read.
 */
export type StatementRowReader = (row: LogRow, origin: string) => readonly OutgoingEvent[]
