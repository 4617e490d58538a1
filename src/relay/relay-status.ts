import type { ChangeLogTables } from "../outbox/change-log-tables"
import { inMilliseconds, type SqlQuery } from "../outbox/log-rows"
import { CURSOR_FLOOR, isInShard } from "./cursor-sql"

/** How far one cursor of a broker is, as the database knows it. */
export interface CursorStatus {
  readonly broker: string
  readonly shard: number
  readonly shards: number
  /** Events that are committed and not delivered yet. A row that the server wrote for a statement counts as one. */
  readonly lag: number
  /** Whether there are more than were counted. */
  readonly lagIsMore: boolean
  /** How long ago the oldest of them was written, in seconds; 0 when there is none. */
  readonly lagSeconds: number
  /** In all. */
  readonly delivered: number
  readonly deadLetters: number
  /** Events that wait behind a dead letter of their key. */
  readonly held: number
  /** Which relay holds the lease, as `host (pid)`; null: none does. */
  readonly leader: string | null
  readonly leaseUntil: Date | null
  readonly lastError: string | null
  readonly lastErrorAt: Date | null
}

/** What is counted at most, so that a long backlog does not make the question slow. */
const MOST_COUNTED = 1_000_000

/** Every cursor there is, by broker and shard. */
export async function relayStatus(query: SqlQuery, tables: ChangeLogTables): Promise<readonly CursorStatus[]> {
  const { cursor, log, deadLetter, relay } = tables
  const isDone = `(pg_visible_in_snapshot(log.xid, cursor.done) OR
    (cursor.until IS NOT NULL AND log.id <= cursor.last_id AND pg_visible_in_snapshot(log.xid, cursor.until)))`
  const floor = `(SELECT ${CURSOR_FLOOR} FROM (SELECT cursor.done_id, cursor.open) AS place)`
  const letters = (states: string): string =>
    `(SELECT count(*)::int FROM ${deadLetter} AS letter WHERE letter.broker = cursor.broker AND letter.state IN (${states})
      AND (cursor.shards = 1 OR ${isInShard("letter.key", "cursor.shards", "cursor.shard")}))`
  const rows = await query(
    `SELECT cursor.broker, cursor.shard, cursor.shards, least(waiting.count, ${MOST_COUNTED})::int AS lag,
       waiting.count > ${MOST_COUNTED} AS "lagIsMore",
       coalesce(extract(epoch FROM clock_timestamp() - waiting.oldest), 0)::float8 AS "lagSeconds",
       cursor.delivered::float8 AS delivered, ${letters("'rejected'")} AS "deadLetters", ${letters("'held', 'requeued'")} AS held,
       CASE WHEN cursor.lease_until > clock_timestamp() THEN coalesce(relay.host || ' (' || relay.pid || ')', cursor.lease_owner) END AS leader,
       CASE WHEN cursor.lease_until > clock_timestamp() THEN ${inMilliseconds("cursor.lease_until")} END AS "leaseMs",
       cursor.last_error AS "lastError", ${inMilliseconds("cursor.last_error_at")} AS "lastErrorMs"
     FROM ${cursor} AS cursor LEFT JOIN ${relay} AS relay ON relay.id = cursor.lease_owner
     CROSS JOIN LATERAL (
       SELECT count(*) AS count, min(written_at) AS oldest FROM (
         SELECT log.written_at FROM ${log} AS log WHERE log.id > ${floor} AND NOT ${isDone}
           AND (cursor.shards = 1 OR ${isInShard("log.key", "cursor.shards", "cursor.shard")}) LIMIT ${MOST_COUNTED + 1}
       ) AS undelivered) AS waiting
     ORDER BY cursor.broker, cursor.shard`,
  )
  return (rows as readonly Answer[]).map(({ leaseMs, lastErrorMs, ...cursor }) => {
    return { ...cursor, leaseUntil: dateOf(leaseMs), lastErrorAt: dateOf(lastErrorMs) }
  })
}

type Answer = Omit<CursorStatus, "leaseUntil" | "lastErrorAt"> & {
  readonly leaseMs: string | null
  readonly lastErrorMs: string | null
}

function dateOf(milliseconds: string | null): Date | null {
  return milliseconds === null ? null : new Date(Number(milliseconds))
}

/** Relays that were heard of within so many milliseconds. */
export async function liveRelays(
  query: SqlQuery,
  { relay }: ChangeLogTables,
  withinMs = 60_000,
): Promise<readonly string[]> {
  const rows = await query(
    `SELECT host || ' (' || pid || ')' AS name FROM ${relay} WHERE seen_at > clock_timestamp() - $1 * interval '1 ms' ORDER BY name`,
    [withinMs],
  )
  return rows.map((row) => (row as { name: string }).name)
}
