import type { DriverConnection } from "./driver-connection"
import type { TrackedEntity } from "./tracked-entity"

const COLUMNS = `
  SELECT entity.n::int AS entity, attribute.attname AS name,
         has_column_privilege(attribute.attrelid, attribute.attnum, 'SELECT') AS readable
  FROM unnest($1::text[]) WITH ORDINALITY AS entity(path, n)
  JOIN pg_attribute attribute ON attribute.attrelid = to_regclass(entity.path)
  WHERE attribute.attnum > 0 AND NOT attribute.attisdropped`

export interface Unreadable {
  readonly entity: TrackedEntity
  readonly columns: readonly string[]
}

export interface Readability {
  /** Entities of which the role may not read a column that an image needs, or whose column the table does not have. */
  readonly unreadable: readonly Unreadable[]
  /** Whether the server process is another than the one the connection was made to: a pooler is in between. */
  readonly isPooled: boolean
}

/** Asks the server, once, whether reading images could fail where TypeORM's own statement would not. */
export async function askReadability(
  query: (text: string, values: unknown[]) => Promise<{ rows: unknown[] }>,
  entities: readonly TrackedEntity[],
  connection: DriverConnection,
): Promise<Readability> {
  const answer = await query(COLUMNS, [entities.map((entity) => entity.tableName)])
  const found = answer.rows as { entity: number; name: string; readable: boolean }[]
  const backend = (await query("SELECT pg_backend_pid() AS pid", [])).rows[0] as { pid: number }
  return {
    unreadable: entities.flatMap((entity, index) => {
      const columns = found.filter((column) => column.entity === index + 1)
      const readable = new Set(columns.filter((column) => column.readable).map((column) => column.name))
      const missing = entity.columns.map((column) => column.databaseName).filter((name) => !readable.has(name))
      return missing.length > 0 ? [{ entity, columns: missing }] : []
    }),
    isPooled: connection.processID != null && connection.processID !== backend.pid,
  }
}
