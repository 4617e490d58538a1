import type { LogRow } from "../events/log-row"
import type { ChangeLogTables } from "./change-log-tables"

/** Rows of the answer to a statement. Throws what the driver throws. */
export type SqlQuery = (text: string, values?: unknown[]) => Promise<readonly unknown[]>

/** A row and where it stands. */
export interface PlacedLogRow extends LogRow {
  /** The transaction that wrote it, by its 64-bit id. */
  readonly transactionId: string
}

interface Answer {
  readonly id: string
  readonly xid: string
  readonly key: string
  readonly written_at: Date
  readonly event: string | null
  readonly record: string | null
  readonly body: string | null
  readonly old_row: string | null
  readonly new_row: string | null
}

/** The log's rows, with what their statement shares, under the name `log`. */
export function selectLogRows({ log, statement }: ChangeLogTables): string {
  return (
    `SELECT log.id::text AS id, log.xid::text AS xid, log.key, log.written_at, log.event, log.record, statement.body, log.old_row, log.new_row ` +
    `FROM ${log} AS log LEFT JOIN ${statement} AS statement ON statement.id = log.statement_id`
  )
}

/** What `selectLogRows` gave. */
export function toLogRow(answer: unknown): PlacedLogRow {
  const { id, xid, key, written_at, event, record, body, old_row, new_row } = answer as Answer
  const place = { id: BigInt(id), transactionId: xid, key, writtenAt: written_at }
  return { ...place, event, record, body, oldRow: old_row, newRow: new_row }
}
