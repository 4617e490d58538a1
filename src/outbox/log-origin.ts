import type { ChangeLogTables } from "./change-log-tables"
import type { SqlQuery } from "./log-rows"

/** The identity of the database that the log was made in, of which the ids of server-written events are made. */
export async function logOrigin(query: SqlQuery, { meta }: ChangeLogTables): Promise<string> {
  const [row] = await query(`SELECT system_identifier || '/' || database_oid AS origin FROM ${meta}`)
  return (row as { origin: string }).origin
}
