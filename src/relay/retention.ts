import type { ChangeLogTables } from "../outbox/change-log-tables"
import type { SqlQuery } from "../outbox/log-rows"
import { CURSOR_FLOOR } from "./cursor-sql"

export interface PruneResult {
  readonly rows: number
  /** Brokers without which more could have gone, because they have not had it yet. */
  readonly heldBackBy: readonly string[]
}

const CHUNK_ROWS = 10_000
const DAY_MS = 24 * 3_600_000

/**
 * Removes what is older than so many days and was delivered to every broker that has a cursor, from the log's beginning on. Without any
 * cursor age alone counts. A part at a time: no statement takes long, and what was removed stays so when it is interrupted.
 */
export async function pruneOnce(query: SqlQuery, tables: ChangeLogTables, retentionDays: number): Promise<PruneResult> {
  const cutoff = new Date(Date.now() - retentionDays * DAY_MS)
  const rows = await pruneLog(query, tables, cutoff)
  await pruneStatements(query, tables, cutoff)
  await pruneInbox(query, tables, cutoff)
  await query(`DELETE FROM ${tables.relay} WHERE seen_at < clock_timestamp() - interval '1 day'`)
  return { rows, heldBackBy: await heldBack(query, tables, cutoff) }
}

async function pruneLog(query: SqlQuery, tables: ChangeLogTables, cutoff: Date): Promise<number> {
  const { log } = tables
  let rows = 0
  for (let removed = CHUNK_ROWS; removed === CHUNK_ROWS; rows += removed) {
    // A row that is too young ends it: the log is as good as in the order of time.
    const [answer] = await query(
      `WITH head AS (SELECT id, written_at FROM ${log} WHERE id <= ${floorSql(tables)} ORDER BY id LIMIT ${CHUNK_ROWS}),
            removed AS (DELETE FROM ${log} WHERE id IN (SELECT id FROM head WHERE written_at < $1) RETURNING 1)
       SELECT count(*)::int AS count FROM removed`,
      [cutoff],
    )
    removed = (answer as { count: number }).count
  }
  return rows
}

/** What the log needs still is passed over: it stands among what goes. */
async function pruneStatements(query: SqlQuery, { statement, log }: ChangeLogTables, cutoff: Date): Promise<void> {
  let last: string | null = "0"
  while (last !== null) {
    const [answer] = await query(
      `WITH head AS (SELECT id, written_at FROM ${statement} WHERE id > $2::bigint ORDER BY id LIMIT ${CHUNK_ROWS}),
            removed AS (DELETE FROM ${statement} AS statement WHERE id IN (SELECT id FROM head WHERE written_at < $1)
              AND NOT EXISTS (SELECT FROM ${log} AS log WHERE log.statement_id = statement.id))
       SELECT max(id)::text AS last FROM head WHERE written_at < $1`,
      [cutoff, last],
    )
    last = (answer as { last: string | null }).last
  }
}

async function pruneInbox(query: SqlQuery, { inbox }: ChangeLogTables, cutoff: Date): Promise<void> {
  for (let removed = CHUNK_ROWS; removed === CHUNK_ROWS;) {
    const [answer] = await query(
      `WITH removed AS (DELETE FROM ${inbox}
         WHERE ctid = ANY (ARRAY(SELECT ctid FROM ${inbox} WHERE handled_at < $1 LIMIT ${CHUNK_ROWS})) RETURNING 1)
       SELECT count(*)::int AS count FROM removed`,
      [cutoff],
    )
    removed = (answer as { count: number }).count
  }
}

/** What every cursor has had: no row up to this id is still to come for any of them. */
function floorSql({ cursor }: ChangeLogTables): string {
  return `coalesce((SELECT min(${CURSOR_FLOOR}) FROM ${cursor}), 9223372036854775807)`
}

async function heldBack(query: SqlQuery, { cursor, log }: ChangeLogTables, cutoff: Date): Promise<readonly string[]> {
  const rows = await query(
    `SELECT DISTINCT broker FROM ${cursor} WHERE EXISTS (
       SELECT FROM ${log} AS log WHERE log.id > ${CURSOR_FLOOR} AND log.written_at < $1) ORDER BY broker`,
    [cutoff],
  )
  return rows.map((row) => (row as { broker: string }).broker)
}
