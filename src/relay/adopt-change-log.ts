import { ChangeEventsError } from "../errors"
import type { ChangeLogTables } from "../outbox/change-log-tables"
import type { SqlQuery } from "../outbox/log-rows"
import { checkChangeLog } from "./change-log-check"
import { CURSOR_FLOOR, isInShard } from "./cursor-sql"

/** What of a copied log is still to be delivered: what the cursors had not yet, or nothing. */
export type AdoptedRest = "rest" | "nothing"

/** Otherwise everything that is under way would be delivered twice, or never. */
async function checkForeign(query: SqlQuery, tables: ChangeLogTables): Promise<void> {
  const isForeign = await checkChangeLog(query, tables).then(
    () => false,
    (thrown: unknown) => {
      if ((thrown as { code?: unknown }).code === "CHANGE_LOG_FOREIGN") return true
      throw thrown
    },
  )
  if (isForeign) return
  throw new ChangeEventsError(
    "CHANGE_LOG_OWN",
    "the change log is this database's own: there is nothing to adopt, start a relay",
  )
}

/**
 * Makes a restored or cloned log this database's own, while nobody writes it. What is still to be delivered becomes dead letters that are
 * sent again: by the old snapshots it can be told for the last time. The old rows have ids of transactions that mean nothing here, and stand
 * below the cursors from now on, so that they are never read again. Gives how many events are still to be delivered.
 *
 * @throws ChangeEventsError CHANGE_LOG_OWN, CHANGE_LOG_MISSING, CHANGE_LOG_VERSION, CHANGE_LOG_DENIED, CHANGE_LOG_READ_ONLY
 */
export async function adoptChangeLog(query: SqlQuery, tables: ChangeLogTables, deliver: AdoptedRest): Promise<number> {
  await checkForeign(query, tables)
  const { cursor, log, meta, deadLetter, statement } = tables
  const [mark] = await query(`SELECT coalesce(max(id), 0)::text AS newest FROM ${log}`)
  const { newest } = mark as { newest: string }
  const [answer] = await query(
    `WITH old AS (SELECT *, ${CURSOR_FLOOR} AS floor FROM ${cursor} FOR UPDATE),
     letters AS (
       INSERT INTO ${deadLetter} (broker, log_id, event_id, key, state, code, error, attempts, written_at, event, record, body, old_row, new_row)
       SELECT old.broker, log.id, 'row ' || log.id, log.key, 'requeued', 'CHANGE_LOG_FOREIGN', 'not delivered by the database it was copied from',
              0, log.written_at, log.event, log.record, statement.body, log.old_row, log.new_row
       FROM old JOIN ${log} AS log ON log.id > old.floor AND log.id <= $1::bigint AND NOT pg_visible_in_snapshot(log.xid, old.done)
         AND (old.shards = 1 OR ${isInShard("log.key", "old.shards", "old.shard")})
       LEFT JOIN ${statement} AS statement ON statement.id = log.statement_id
       WHERE $2::boolean ORDER BY log.id ON CONFLICT DO NOTHING RETURNING 1),
     adopted AS (
       UPDATE ${meta} SET system_identifier = coalesce((SELECT system_identifier::text FROM pg_control_system()), system_identifier),
         database_oid = (SELECT oid FROM pg_database WHERE datname = current_database())),
     moved AS (
       UPDATE ${cursor} SET lease_token = lease_token + 1, lease_owner = NULL, lease_until = '-infinity', letters_changed = letters_changed + 1,
         done = pg_current_snapshot(), done_id = $1::bigint, until = NULL, until_id = NULL, last_id = NULL,
         open = (SELECT coalesce(jsonb_object_agg(xip::text, $1::text), '{}') FROM pg_snapshot_xip(pg_current_snapshot()) AS xip))
     SELECT count(*)::int AS count FROM letters`,
    [newest, deliver === "rest"],
  )
  return (answer as { count: number }).count
}
