import { rowKeySql } from "../capture/row-key-sql"
import type { ImageColumn } from "../capture/image-column"
import { loggedName, type TrackedEntity } from "../capture/tracked-entity"
import type { StatementBody } from "../events/log-row"
import { UNKNOWN_REQUEST } from "./unknown-request"
import { changeLogTables } from "../outbox/change-log-tables"
import type { OutboxOptions } from "../outbox/outbox-options"
import { literal, quoted } from "./sql-text"

export interface CapturedTable {
  readonly entity: TrackedEntity
  readonly outbox: OutboxOptions
  /** Whether rows that an UPDATE left as they were are written down as well. */
  readonly emitUnchanged: boolean
}

/** What the function's transition tables are called in its triggers. */
export const OLD_ROWS = `"__change_old"`
export const NEW_ROWS = `"__change_new"`

// Column names of the table stand behind this alias only: one may be called like a variable of PL/pgSQL, such as `old` or `found`.
export const ROW = `"__row"`

/** The body of the function that a table's triggers call. */
export function captureBody(table: CapturedTable): string {
  const { entity } = table
  const { statement } = changeLogTables(table.outbox)
  const salt = entity.columns.some((image) => image.sensitive) ? `\n  "__salt" text := gen_random_uuid();` : ""
  // A branch that is not taken may name a transition table that the trigger does not have.
  return `
DECLARE
  "__any" boolean;
  "__statement" bigint;
  "__shift" bigint := 0;${salt}
BEGIN
  IF TG_OP = 'TRUNCATE' THEN
    EXECUTE concat('SELECT EXISTS (SELECT FROM ', TG_RELID::regclass, ')') INTO "__any";
  ELSIF TG_OP = 'DELETE' THEN
    "__any" := EXISTS (SELECT FROM ${OLD_ROWS});
  ELSE
    "__any" := EXISTS (SELECT FROM ${NEW_ROWS});
  END IF;
  IF NOT "__any" THEN
    RETURN NULL;
  END IF;
  INSERT INTO ${statement} (body) VALUES (${statementBodySql(entity)}) RETURNING id INTO "__statement";
  IF TG_OP = 'INSERT' THEN
    ${insertRows(table, "new_row")}
    FROM ${NEW_ROWS} AS ${ROW};
  ELSIF TG_OP = 'DELETE' THEN
    ${insertRows(table, "old_row")}
    FROM ${OLD_ROWS} AS ${ROW};
  ELSIF TG_OP = 'TRUNCATE' THEN
    ${insertTruncated(table)};
  ELSE
${insertPairs(table)}
  END IF;
  RETURN NULL;
END
`
}

/** What the statement's rows share. The context as it was told is a text in it: it may be no JSON. */
export function statementBodySql(entity: TrackedEntity, relation?: StatementBody["relation"]): string {
  const columns = entity.columns.map((column) => column.databaseName)
  const context = { userName: null, requestId: "", changeContext: "Unknown", changeContextDetail: "" } as const
  const shared: Omit<StatementBody, "told"> = {
    entity: loggedName(entity.metadata),
    kind: "trigger",
    columns,
    types: [],
    context,
    ...(relation && { relation }),
  }
  const [before, after] = JSON.stringify(shared).slice(0, -1).split(`"requestId":""`) as [string, string]
  const told = `coalesce(to_json(nullif(current_setting('change_events.context', true), ''))::text, 'null')`
  return `concat(${literal(`${before}"requestId":"`)}, ${UNKNOWN_REQUEST}, ${literal(`"${after},"told":`)}, ${told}, '}')`
}

function insertRows(table: CapturedTable, column: "old_row" | "new_row", statement = `"__statement"`): string {
  return `INSERT INTO ${changeLogTables(table.outbox).log} (key, statement_id, ${column})
    SELECT ${keySql(table.entity)}, ${statement}, ${rowSql(table.entity, lone)}`
}

/** The table's rows by the table's id: an entity may not know its schema, and the function looks for nothing outside of `pg_catalog`. */
function insertTruncated(table: CapturedTable): string {
  const insert = literal(`${insertRows(table, "old_row", "$1")} FROM `)
  return `EXECUTE concat(${insert}, TG_RELID::regclass, ${literal(` AS ${ROW}`)}) USING "__statement"`
}

/**
 * Old and new rows stand in the same order. Where there are more old ones (a row moves to another partition, whose trigger refuses it)
 * nobody can tell which belong together, and all are told as deletes and inserts. A FULL JOIN is never a nested loop, which a plan made for
 * few rows would be for many.
 */
function insertPairs(table: CapturedTable): string {
  const rows = (from: string, shift: string): string =>
    `SELECT "__n"${shift} AS "__n", ${keySql(table.entity)} AS "__key", ${rowSql(table.entity, paired)} AS "__text"
          FROM (SELECT row_number() OVER () AS "__n", * FROM ${from}) AS ${ROW}`
  const condition = table.emitUnchanged ? "" : `\n    WHERE "__old"."__text" IS DISTINCT FROM "__new"."__text"`
  return `    IF (SELECT count(*) FROM ${OLD_ROWS}) <> (SELECT count(*) FROM ${NEW_ROWS}) THEN
      "__shift" := (SELECT count(*) FROM ${OLD_ROWS});
    END IF;
    INSERT INTO ${changeLogTables(table.outbox).log} (key, statement_id, old_row, new_row)
    SELECT coalesce("__old"."__key", "__new"."__key"), "__statement", "__old"."__text", "__new"."__text"
    FROM (${rows(OLD_ROWS, "")}) AS "__old"
    FULL JOIN (${rows(NEW_ROWS, ` + "__shift"`)}) AS "__new" USING ("__n")${condition}
    ORDER BY "__n";`
}

export const columnOf = (image: ImageColumn): string => `${ROW}.${quoted(image.databaseName)}`

export function keySql(entity: TrackedEntity): string {
  const value = (index: number): string => (index < 0 ? "NULL" : columnOf(entity.columns[index] as ImageColumn))
  return rowKeySql(entity, value, value(entity.discriminator))
}

type HiddenValue = (own: string) => string

/** In place of a sensitive value, to be masked or hashed: the secret of `hash` is not in the database. */
export const lone: HiddenValue = () => `'1'`

/** Of a pair also whether it changed: by a salt that nobody keeps, and the place of the row, so that it equals that of no other row. */
const paired: HiddenValue = (own) => `encode(sha256(convert_to(concat("__salt", "__n", ' ', ${own}), 'UTF8')), 'hex')`

/** The row as one text, with `further` values behind its own. */
export function rowSql({ columns }: TrackedEntity, hidden: HiddenValue, ...further: readonly string[]): string {
  const values = columns.map((image) => {
    const own = columnOf(image)
    return image.sensitive ? `CASE WHEN ${own} IS DISTINCT FROM NULL THEN ${hidden(own)} END` : own
  })
  return `ROW(${[...values, ...further].join(", ")})::text`
}
