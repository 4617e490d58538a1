import { ChangeEventsError } from "../errors"
import type { ChangeLogTables } from "../outbox/change-log-tables"
import type { SqlQuery } from "../outbox/log-rows"
import { nearestName } from "../runtime/nearest-name"

/** The error for a broker that has no cursor. */
export async function unknownBroker(
  query: SqlQuery,
  { cursor }: ChangeLogTables,
  name: string,
): Promise<ChangeEventsError> {
  const rows = await query(`SELECT DISTINCT broker FROM ${cursor} ORDER BY broker`)
  const known = rows.map((row) => (row as { broker: string }).broker)
  const nearest = nearestName(name, known)
  const advice = nearest === undefined ? `there are: ${known.join(", ") || "none"}` : `did you mean ${nearest}?`
  return new ChangeEventsError("BROKER_UNKNOWN", `the change log knows no broker ${name}; ${advice}`)
}

/** @throws ChangeEventsError BROKER_UNKNOWN where it has neither a cursor nor dead letters */
export async function checkBroker(query: SqlQuery, tables: ChangeLogTables, name: string | undefined): Promise<void> {
  if (name === undefined) return
  const found = await query(
    `SELECT FROM ${tables.cursor} WHERE broker = $1 UNION ALL SELECT FROM ${tables.deadLetter} WHERE broker = $1 LIMIT 1`,
    [name],
  )
  if (found.length === 0) throw await unknownBroker(query, tables, name)
}
