import type { DriverConnection } from "./driver-connection"
import type { TrackedEntity } from "./tracked-entity"

// By name and not by to_regclass(), which fails for a schema that the role may not use.
const COLUMNS = `
  SELECT entity.n::int AS entity, attribute.attname AS name,
         has_column_privilege(class.oid, attribute.attnum, 'SELECT') AS readable,
         has_table_privilege(class.oid, 'DELETE') OR has_any_column_privilege(class.oid, 'INSERT, UPDATE') AS writable
  FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS entity(schema_name, table_name, n)
  JOIN pg_class class ON class.relname = entity.table_name
  JOIN pg_namespace namespace ON namespace.oid = class.relnamespace
   AND coalesce(namespace.nspname = entity.schema_name, pg_table_is_visible(class.oid))
  JOIN pg_attribute attribute ON attribute.attrelid = class.oid
  WHERE attribute.attnum > 0 AND NOT attribute.attisdropped`

interface ColumnAnswer {
  readonly entity: number
  readonly name: string
  readonly readable: boolean
  readonly writable: boolean
}

export interface Unreadable {
  readonly entity: TrackedEntity
  readonly columns: readonly string[]
  /** Whether the role may write the table at all: if not, nobody misses its events. */
  readonly isWritable: boolean
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
  const names = entities.map(({ metadata }) => [metadata.schema ?? null, metadata.tableName])
  const answer = await query(COLUMNS, [names.map(([schema]) => schema), names.map(([, table]) => table)])
  const found = answer.rows as ColumnAnswer[]
  const backend = (await query("SELECT pg_backend_pid() AS pid", [])).rows[0] as { pid: number }
  return {
    unreadable: entities.flatMap((entity, index) => {
      const columns = found.filter((column) => column.entity === index + 1)
      return unreadable(entity, columns) ?? []
    }),
    isPooled: connection.processID != null && connection.processID !== backend.pid,
  }
}

/** A table that does not exist yet may come, by a migration, with all its columns. */
function unreadable(entity: TrackedEntity, found: readonly ColumnAnswer[]): Unreadable | undefined {
  const readable = new Set(found.filter((column) => column.readable).map((column) => column.name))
  const columns = entity.columns.map((column) => column.databaseName).filter((name) => !readable.has(name))
  if (found.length === 0 || columns.length === 0) return undefined
  return { entity, columns, isWritable: found.some((column) => column.writable) }
}
