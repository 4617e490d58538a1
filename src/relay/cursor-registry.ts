import type { ChangeLogTables } from "../outbox/change-log-tables"
import type { SqlQuery } from "../outbox/log-rows"
import { CURSOR_FLOOR } from "./cursor-sql"

/** Where a broker begins that has no cursor yet: with all that the log still holds, or with what is logged from now on. */
export type CursorStart = "beginning" | "now"

export interface NewCursor {
  readonly broker: string
  readonly shards: number
  readonly startAt: CursorStart
}

/** What became of a broker's cursors: they are there, or they wait for the leases of cursors with another number of shards. */
export type CursorsReady = "ready" | "resharding"

/** Makes the cursors that the broker has not yet, as many as it has shards. */
export async function ensureCursors(
  query: SqlQuery,
  tables: ChangeLogTables,
  wanted: NewCursor,
): Promise<CursorsReady> {
  const { broker, shards } = wanted
  const [known] = await query(
    `SELECT count(*)::int AS count, coalesce(bool_and(shards = $2), true) AS fits, coalesce(bool_or(lease_until > clock_timestamp()), false) AS led
     FROM ${tables.cursor} WHERE broker = $1`,
    [broker, shards],
  )
  const { count, fits, led } = known as { count: number; fits: boolean; led: boolean }
  if (count === 0) await createCursors(query, tables, wanted)
  else if (!fits && led) return "resharding"
  else if (!fits) await reshard(query, tables, broker, shards)
  return "ready"
}

async function createCursors(query: SqlQuery, tables: ChangeLogTables, wanted: NewCursor): Promise<void> {
  const { broker, shards, startAt } = wanted
  const { cursor, log } = tables
  const sequence = `pg_get_serial_sequence('${log}', 'id')`
  const [reached] = await query(`SELECT coalesce(pg_sequence_last_value(${sequence}), 0)::text AS id`)
  // So that the snapshot below knows every transaction that has an id by now (as where a window is opened).
  await query("SELECT pg_current_xact_id()")
  // Of a transaction that is open now nobody knows where its ids begin.
  const open = `(SELECT coalesce(jsonb_object_agg(xip::text, '0'), '{}') FROM pg_snapshot_xip(pg_current_snapshot()) AS xip)`
  const isNow = startAt === "now"
  await query(
    `INSERT INTO ${cursor} (broker, shard, shards, done, done_id, open)
     SELECT $1, shard, $2, CASE WHEN $3 THEN pg_current_snapshot() ELSE '1:1:' END, $4::bigint, CASE WHEN $3 THEN ${open} ELSE '{}' END
     FROM generate_series(0, $2::int - 1) AS shard ON CONFLICT DO NOTHING`,
    [broker, shards, isNow, isNow ? (reached as { id: string }).id : "0"],
  )
}

/**
 * As many cursors as are wanted now, all from where the last of the old ones was: of two snapshots the earlier one has the lower end, or
 * more transactions open. What others had delivered behind that is delivered again.
 */
async function reshard(query: SqlQuery, tables: ChangeLogTables, broker: string, shards: number): Promise<void> {
  const { cursor } = tables
  await query(
    `WITH old AS (
       DELETE FROM ${cursor} WHERE broker = $1 AND NOT EXISTS (
         SELECT FROM ${cursor} AS live WHERE live.broker = $1 AND live.lease_until > clock_timestamp()) RETURNING *
     ), last AS (
       SELECT *, (SELECT sum(delivered) FROM old) AS total, (SELECT max(lease_token) + 1 FROM old) AS token,
         (SELECT min(${CURSOR_FLOOR}) FROM old) AS floor
       FROM old ORDER BY pg_snapshot_xmax(done), (SELECT count(*) FROM pg_snapshot_xip(done)) DESC LIMIT 1
     )
     INSERT INTO ${cursor} (broker, shard, shards, done, done_id, open, lease_token, delivered)
     SELECT $1, new.shard, $2, done, least(done_id, floor), open, token, CASE WHEN new.shard = 0 THEN total ELSE 0 END
     FROM last CROSS JOIN generate_series(0, $2::int - 1) AS new (shard)`,
    [broker, shards],
  )
}

/** Removes the cursors, and the dead letters, of a broker that is there no more: retention does not wait for it any longer. */
export async function forgetBroker(query: SqlQuery, tables: ChangeLogTables, broker: string): Promise<boolean> {
  await query(`DELETE FROM ${tables.deadLetter} WHERE broker = $1`, [broker])
  const [answer] = await query(
    `WITH forgotten AS (DELETE FROM ${tables.cursor} WHERE broker = $1 RETURNING 1) SELECT count(*)::int AS count FROM forgotten`,
    [broker],
  )
  return (answer as { count: number }).count > 0
}

/**
 * Has everything from then on delivered to the broker once more, in order, by whatever relay leads it. What is still to come for the first
 * time is not left out. Gives whether there is such a broker.
 */
export async function rewind(
  query: SqlQuery,
  tables: ChangeLogTables,
  broker: string,
  since: Date | bigint,
): Promise<boolean> {
  const { cursor, log, channel } = tables
  const first =
    typeof since === "bigint"
      ? `SELECT $2::bigint`
      : `SELECT id FROM ${log} WHERE written_at >= $2::timestamptz ORDER BY id LIMIT 1`
  const [answer] = await query(
    `WITH rewound AS (UPDATE ${cursor} SET lease_token = lease_token + 1, lease_owner = NULL, lease_until = '-infinity', until = NULL, until_id = NULL, last_id = NULL,
       done = '1:1:', open = '{}', done_id = least(${CURSOR_FLOOR}, (${first}) - 1)
     WHERE broker = $1 RETURNING 1) SELECT count(*)::int AS count FROM rewound`,
    [broker, typeof since === "bigint" ? String(since) : since],
  )
  await query(`NOTIFY ${channel}`)
  return (answer as { count: number }).count > 0
}
