import { ChangeEventsError } from "../errors"
import { changeLogTables } from "../outbox/change-log-tables"
import type { SqlQuery } from "../outbox/log-rows"
import type { OutboxOptions } from "../outbox/outbox-options"
import { functionPrefix, type TableTriggers } from "./table-triggers"

const INSTALLED = `
  SELECT made.proname AS name, made.prosrc AS body, obj_description(made.oid, 'pg_proc') AS comment,
         ARRAY(SELECT tgname::text FROM pg_trigger
               WHERE tgfoid = made.oid AND tgenabled IN ('O', 'A') AND tgrelid = to_regclass(wanted.table_name)) AS triggers
  FROM pg_proc made
  LEFT JOIN unnest($3::text[], $4::text[]) AS wanted(function_name, table_name) ON wanted.function_name = made.proname
  WHERE made.pronamespace = to_regnamespace($1) AND starts_with(made.proname, $2) AND made.prorettype = 'trigger'::regtype
  ORDER BY made.proname COLLATE "C"`

interface InstalledFunction {
  readonly name: string
  readonly body: string
  readonly comment: string | null
  readonly triggers: readonly string[]
}

/**
 * Compares the triggers that the database has with those that the entities ask for.
 *
 * @throws ChangeEventsError TRIGGERS_STALE with every difference in `details.faults`
 */
export async function checkTriggers(
  query: SqlQuery,
  wanted: readonly TableTriggers[],
  outbox: OutboxOptions = {},
): Promise<void> {
  const names = wanted.map(({ functionName }) => functionName)
  const values = [changeLogTables(outbox).schema, functionPrefix(outbox), names, wanted.map(({ table }) => table)]
  const installed = (await query(INSTALLED, values)) as readonly InstalledFunction[]
  const faults = [
    ...wanted.flatMap((each) =>
      differences(
        each,
        installed.find(({ name }) => name === each.functionName),
      ),
    ),
    ...installed
      .filter(({ name }) => !names.includes(name))
      .map(({ name }) => `"${name}" captures what no entity asks for`),
  ]
  if (faults.length === 0) return
  const message = `the database's triggers are not those of the entities, generate them anew:\n- ${faults.join("\n- ")}`
  throw new ChangeEventsError("TRIGGERS_STALE", message, { details: { faults } })
}

function differences(wanted: TableTriggers, installed: InstalledFunction | undefined): string[] {
  const { entity, functionBody, comment, triggers } = wanted
  if (!installed) return [`${entity} has no triggers`]
  const missing = triggers.filter((name) => !installed.triggers.includes(name))
  const isOld = installed.body !== functionBody || installed.comment !== comment
  return [
    ...(isOld ? [`${entity} has triggers for other columns or options`] : []),
    ...(missing.length > 0 ? [`${entity} lacks ${missing.join(", ")}, or they are disabled`] : []),
  ]
}
