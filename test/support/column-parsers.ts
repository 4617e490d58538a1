import { types } from "pg"
import type { DataSource, EntityMetadata } from "typeorm"

type Parse = (text: string) => unknown

/** Gives the driver's parser for the type that a column has in the database. */
export type ColumnParsers = (metadata: EntityMetadata, column: string) => Parse

/** Looks up the type of every column of the database. */
export async function columnParsers(dataSource: DataSource): Promise<ColumnParsers> {
  const rows = await dataSource.query<{ path: string; type: number }[]>(
    `SELECT concat_ws('.', n.nspname, c.relname, a.attname) AS path, a.atttypid::int AS type
     FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE a.attnum > 0 AND NOT a.attisdropped AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')`,
  )
  const typeOf = new Map(rows.map(({ path, type }) => [path, type]))
  return (metadata, column) => {
    const path = [metadata.schema ?? "public", metadata.tableName, column].join(".")
    const type = typeOf.get(path)
    if (type === undefined) throw new Error(`There is no column ${path}`)
    return types.getTypeParser(type, "text") as Parse
  }
}
