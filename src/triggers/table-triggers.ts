import { createHash } from "node:crypto"
import { captureBody, NEW_ROWS, OLD_ROWS, type CapturedTable } from "./capture-function"
import { triggerNames } from "../capture/missing-triggers"
import { changeLogTables } from "../outbox/change-log-tables"
import { outboxDefaults, type OutboxOptions } from "../outbox/outbox-options"
import type { TrackedEntity } from "../capture/tracked-entity"
import { dollarQuoted, literal, quoted } from "./sql-text"

/** What the database must have for a table to be captured. */
export interface TableTriggers {
  readonly entity: string
  /** Escaped and with its schema, as far as it is known. */
  readonly table: string
  /** Unquoted, in the schema of the change log. */
  readonly functionName: string
  /** As the catalogue keeps it. */
  readonly functionBody: string
  /** Which hold while it runs, beside those of every such function. */
  readonly functionSettings?: readonly string[]
  /** What the triggers are called that call it. */
  readonly triggers: readonly string[]
  /** The function's, with a digest of all that makes it and its triggers. */
  readonly comment: string
  /** The statements that make them, or make them anew. */
  readonly create: readonly string[]
}

/** What the names of all functions of one change log begin with. */
export function functionPrefix({ tablePrefix = outboxDefaults.tablePrefix }: OutboxOptions): string {
  return `${tablePrefix}capture `
}

/** When each of the triggers fires. */
const triggers: Readonly<Record<string, (table: string) => string>> = {
  [triggerNames.insert]: (table) => `AFTER INSERT ON ${table} REFERENCING NEW TABLE AS ${NEW_ROWS}`,
  [triggerNames.update]: (table) =>
    `AFTER UPDATE ON ${table} REFERENCING OLD TABLE AS ${OLD_ROWS} NEW TABLE AS ${NEW_ROWS}`,
  [triggerNames.delete]: (table) => `AFTER DELETE ON ${table} REFERENCING OLD TABLE AS ${OLD_ROWS}`,
  [triggerNames.truncate]: (table) => `BEFORE TRUNCATE ON ${table}`,
}

export function tableTriggers(captured: CapturedTable): TableTriggers {
  const { entity, outbox } = captured
  const made = statementTriggers(entity, captureBody(captured), outbox)
  return { ...made, create: [refuseUnstored(captured), ...made.create] }
}

/** Of a table: the function that is run for each statement that writes to it, and its triggers. */
export function statementTriggers(
  { metadata, tableName }: TrackedEntity,
  functionBody: string,
  outbox: OutboxOptions,
): TableTriggers {
  const create = (path: string): string[] =>
    Object.entries(triggers).map(
      ([name, when]) =>
        `CREATE OR REPLACE TRIGGER ${name} ${when(tableName)} FOR EACH STATEMENT EXECUTE FUNCTION ${path}()`,
    )
  const functionName = functionNameOf(functionPrefix(outbox), metadata.tablePath)
  const made = { entity: metadata.name, table: tableName, triggers: Object.keys(triggers), functionName, functionBody }
  return withFunction(made, create, outbox)
}

/** With the statements that make the function, and behind it what uses it. */
export function withFunction(
  made: Omit<TableTriggers, "comment" | "create">,
  use: (path: string) => readonly string[],
  outbox: OutboxOptions,
): TableTriggers {
  const path = `${changeLogTables(outbox).schema}.${quoted(made.functionName)}`
  const create = [
    createFunction(path, made),
    // A SECURITY DEFINER function that others may put on tables of theirs would let them write what they like into the log.
    `REVOKE ALL ON FUNCTION ${path}() FROM PUBLIC`,
    ...use(path),
  ]
  const comment = `change-events triggers:generate, ${made.entity}, ${digest(create.join("\n"), 32)}`
  const commented = `COMMENT ON FUNCTION ${path}() IS ${literal(comment)}`
  return { ...made, comment, create: [...create, commented] }
}

/** Postgres 18 fails a write whose trigger reads a generated column that is not stored: the migration fails instead. */
function refuseUnstored({ entity }: CapturedTable): string {
  const names = entity.columns.map(({ databaseName }) => literal(databaseName)).join(", ")
  return `DO ${dollarQuoted(`
DECLARE
  unstored text := (SELECT string_agg(attname, ', ') FROM pg_attribute
    WHERE attrelid = to_regclass(${literal(entity.tableName)}) AND attgenerated = 'v' AND attname = ANY (ARRAY[${names}]));
BEGIN
  IF unstored IS NOT NULL THEN
    RAISE EXCEPTION 'triggers cannot read % of %, which is generated and not stored: leave it out (the option "ignore")',
      unstored, ${literal(entity.metadata.name)};
  END IF;
END
`)}`
}

/**
 * As its owner, so that whoever may write the table need not be able to write the change log; and with the settings that decide how a value
 * is written as text, for another program may have others than the driver reads. Behind row security a TRUNCATE would see less than it
 * removes: it fails instead.
 */
function createFunction(
  path: string,
  { functionBody, functionSettings = [] }: Pick<TableTriggers, "functionBody" | "functionSettings">,
): string {
  const further = functionSettings.map((setting) => `SET ${setting}\n`).join("")
  return `CREATE OR REPLACE FUNCTION ${path}() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET standard_conforming_strings = on
SET datestyle = 'ISO, MDY'
SET intervalstyle = 'postgres'
SET bytea_output = 'hex'
SET extra_float_digits = 1
SET row_security = off
SET timezone FROM CURRENT
SET lc_monetary FROM CURRENT
${further}AS ${dollarQuoted(functionBody)}`
}

const MAX_NAME_BYTES = 63
const DIGEST_LENGTH = 16

/** Of a name that is too long the beginning, and a digest of the whole. */
function functionNameOf(prefix: string, tablePath: string): string {
  const name = prefix + tablePath
  if (Buffer.byteLength(name) <= MAX_NAME_BYTES) return name
  return `${cutBytes(name, MAX_NAME_BYTES - DIGEST_LENGTH - 1)} ${digest(name, DIGEST_LENGTH)}`
}

function digest(text: string, length: number): string {
  return createHash("sha256").update(text).digest("hex").slice(0, length)
}

function cutBytes(text: string, most: number): string {
  let cut = text.slice(0, most)
  while (Buffer.byteLength(cut) > most) cut = Array.from(cut).slice(0, -1).join("")
  return cut
}
