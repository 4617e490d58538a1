import type { LogRow } from "../events/log-row"
import type { ChangeLogTables } from "./change-log-tables"

/** Rows of the answer to a statement. Throws what the driver throws. */
export type SqlQuery = (text: string, values?: unknown[]) => Promise<readonly unknown[]>

/** A row and where it stands. */
export interface PlacedLogRow extends LogRow {
  /** The transaction that wrote it, by its 64-bit id. */
  readonly transactionId: string
}

/**
 * A time as milliseconds, in SQL: what the driver makes of a time is the application's affair, for parsers are set for the whole process, and
 * events' ids are made of it, so that everybody must read the same. Rounded first, as in seconds no microsecond is exact.
 */
export function inMilliseconds(time: string): string {
  return `floor(round(date_part('epoch', ${time}) * 1000000) / 1000)::bigint::text`
}

interface Answer {
  readonly id: string
  readonly xid: string
  readonly key: string
  readonly written_ms: string
  readonly event: string | null
  readonly record: string | null
  readonly body: string | null
  readonly old_row: string | null
  readonly new_row: string | null
}

/** The log's rows, with what their statement shares, under the name `log`. */
export function selectLogRows({ log, statement }: ChangeLogTables): string {
  return (
    `SELECT log.id::text AS id, log.xid::text AS xid, log.key, ${inMilliseconds("log.written_at")} AS written_ms, ` +
    `log.event, log.record, statement.body, log.old_row, log.new_row ` +
    `FROM ${log} AS log LEFT JOIN ${statement} AS statement ON statement.id = log.statement_id`
  )
}

/** What `selectLogRows` gave. */
export function toLogRow(answer: unknown): PlacedLogRow {
  const { id, xid, key, written_ms, event, record, body, old_row, new_row } = answer as Answer
  const place = { id: BigInt(id), transactionId: xid, key, writtenAt: new Date(Number(written_ms)) }
  return { ...place, event, record, body, oldRow: old_row, newRow: new_row }
}
