import type { TrackedTable } from "./capture"
import type { TrackedEntity } from "./tracked-entity"

const TYPES = `
  WITH RECURSIVE named AS (
    SELECT entity.n::int AS entity, attribute.attname AS name, attribute.atttypid AS type
    FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS entity(schema_name, table_name, n)
    JOIN pg_class class ON class.relname = entity.table_name
    JOIN pg_namespace namespace ON namespace.oid = class.relnamespace
     AND coalesce(namespace.nspname = entity.schema_name, pg_table_is_visible(class.oid))
    JOIN pg_attribute attribute ON attribute.attrelid = class.oid
    WHERE attribute.attnum > 0 AND NOT attribute.attisdropped
  ), based AS (
    SELECT * FROM named
    UNION ALL
    SELECT based.entity, based.name, type.typbasetype FROM based JOIN pg_type type ON type.oid = based.type AND type.typtype = 'd'
  )
  SELECT entity, name, type::int FROM based JOIN pg_type found ON found.oid = based.type AND found.typtype <> 'd'`

interface TypeAnswer {
  readonly entity: number
  readonly name: string
  readonly type: number
}

/** Asks for the types of the entities' columns, as a result's description names them: of a domain that of its base type. */
export async function askColumnTypes(
  query: (text: string, values: unknown[]) => Promise<{ rows: unknown[] }>,
  tables: readonly TrackedTable[],
  types: Map<TrackedEntity, readonly number[]>,
): Promise<void> {
  const names = tables.map(({ entity }) => entity.metadata)
  const values = [names.map(({ schema }) => schema ?? null), names.map(({ tableName }) => tableName)]
  const answers = (await query(TYPES, values)).rows as TypeAnswer[]
  tables.forEach(({ entity }, index) => {
    const own = new Map(answers.filter((answer) => answer.entity === index + 1).map(({ name, type }) => [name, type]))
    if (own.size > 0)
      types.set(
        entity,
        entity.columns.map((column) => own.get(column.databaseName) ?? 0),
      )
  })
}
