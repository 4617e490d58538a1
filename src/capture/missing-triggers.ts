import type { TrackedTable } from "./capture"
import type { TrackedEntity } from "./tracked-entity"

/** What the triggers are called on every table that they capture. */
export const triggerNames = {
  insert: "change_events_insert",
  update: "change_events_update",
  delete: "change_events_delete",
  truncate: "change_events_truncate",
} as const

const TRIGGERS = `
  SELECT entity.n::int AS entity
  FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS entity(schema_name, table_name, n)
  JOIN pg_class class ON class.relname = entity.table_name
  JOIN pg_namespace namespace ON namespace.oid = class.relnamespace
   AND coalesce(namespace.nspname = entity.schema_name, pg_table_is_visible(class.oid))
  WHERE (SELECT count(*) FROM pg_trigger WHERE tgrelid = class.oid AND tgname = ANY ($3::text[]) AND tgenabled IN ('O', 'A')) < cardinality($3::text[])`

/** Which of the entities are said to be captured by triggers, and their table lacks some. */
export async function askMissingTriggers(
  query: (text: string, values: unknown[]) => Promise<{ rows: unknown[] }>,
  tables: readonly TrackedTable[],
): Promise<readonly TrackedEntity[]> {
  const entities = tables.map(({ entity }) => entity).filter(({ byTriggers }) => byTriggers)
  if (entities.length === 0) return []
  const names = entities.map(({ metadata }) => [metadata.schema ?? null, metadata.tableName])
  const values = [names.map(([schema]) => schema), names.map(([, table]) => table), Object.values(triggerNames)]
  const missing = (await query(TRIGGERS, values)).rows as { readonly entity: number }[]
  return missing.map(({ entity }) => entities[entity - 1] as TrackedEntity)
}
