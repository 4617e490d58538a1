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
