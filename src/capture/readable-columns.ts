import type { DriverConnection } from "./driver-connection"
import type { TrackedTable } from "./capture"
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

// A rule rewrites the statement, and Postgres refuses RETURNING or WITH for most of them.
const TABLES = `
  SELECT entity.n::int AS entity,
         EXISTS (SELECT FROM pg_rewrite rule WHERE rule.ev_class = class.oid AND rule.ev_type <> '1') AS has_rules,
         ARRAY(SELECT (SELECT string_agg(attribute.attname, ',' ORDER BY attribute.attname) FROM pg_attribute attribute
                       WHERE attribute.attrelid = class.oid AND attribute.attnum = ANY (index.indkey::int2[]))
               FROM pg_index index WHERE index.indrelid = class.oid AND index.indisunique AND index.indisvalid
                AND index.indpred IS NULL AND index.indexprs IS NULL) AS unique_keys
  FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS entity(schema_name, table_name, n)
  JOIN pg_class class ON class.relname = entity.table_name
  JOIN pg_namespace namespace ON namespace.oid = class.relnamespace
   AND coalesce(namespace.nspname = entity.schema_name, pg_table_is_visible(class.oid))`

interface TableAnswer {
  readonly entity: number
  readonly has_rules: boolean
  readonly unique_keys: readonly string[]
}

interface ColumnAnswer {
  readonly entity: number
  readonly name: string
  readonly readable: boolean
  readonly writable: boolean
}

/** An entity whose captured statements could fail, or do something else than TypeORM's own. */
export interface Uncapturable {
  readonly entity: TrackedEntity
  readonly reason: string
  /** Whether the role may write the table at all: if not, nobody misses its events. */
  readonly isWritable: boolean
}

export interface Readability {
  readonly uncapturable: readonly Uncapturable[]
  /** Whether the server process is another than the one the connection was made to: a pooler is in between. */
  readonly isPooled: boolean
}

/**
 * Asks the server, once, where capture could interfere: where the role may not read a column, a rule rewrites the statement, or, before
 * Postgres 18, the key that joins old and new rows is not unique.
 */
export async function askReadability(
  query: (text: string, values: unknown[]) => Promise<{ rows: unknown[] }>,
  tables: readonly TrackedTable[],
  connection: DriverConnection,
): Promise<Readability> {
  const names = tables.map(({ entity }) => [entity.metadata.schema ?? null, entity.metadata.tableName])
  const values = [names.map(([schema]) => schema), names.map(([, table]) => table)]
  const columns = (await query(COLUMNS, values)).rows as ColumnAnswer[]
  const found = (await query(TABLES, values)).rows as TableAnswer[]
  const backend = (await query("SELECT pg_backend_pid() AS pid", [])).rows[0] as { pid: number }
  return {
    uncapturable: tables.flatMap((table, index) => {
      const own = columns.filter((column) => column.entity === index + 1)
      const answer = found.find(({ entity }) => entity === index + 1)
      const reason = columnFault(table.entity, own) ?? (answer && tableFault(table, answer))
      return reason ? [{ entity: table.entity, reason, isWritable: own.some((column) => column.writable) }] : []
    }),
    isPooled: connection.processID != null && connection.processID !== backend.pid,
  }
}

/** A table that does not exist yet may come, by a migration, with all its columns. */
function columnFault(entity: TrackedEntity, found: readonly ColumnAnswer[]): string | undefined {
  const readable = new Set(found.filter((column) => column.readable).map((column) => column.name))
  const columns = entity.columns.map((column) => column.databaseName).filter((name) => !readable.has(name))
  if (found.length === 0 || columns.length === 0) return undefined
  return `the role may not read, or the table does not have, ${columns.join(", ")}`
}

function tableFault({ entity, sql }: TrackedTable, { has_rules, unique_keys }: TableAnswer): string | undefined {
  if (has_rules) return "its table has rules, which captured statements do not pass"
  if (sql.hasReturningOld) return undefined
  const key = entity.metadata.primaryColumns.map((column) => column.databaseName).sort()
  if (unique_keys.includes(key.join(","))) return undefined
  return `before Postgres 18 its key (${key.join(", ")}) must be unique in the database, and no index says so`
}
