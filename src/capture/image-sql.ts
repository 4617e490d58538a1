import type { TrackedEntity } from "./tracked-entity"

/** What is put into a statement of TypeORM's so that it returns the images of the rows it changed. */
export interface ImageSql {
  /** Postgres 18 returns the old row by itself; before, a locking sub-select reads it first. */
  readonly hasReturningOld: boolean
  /** Prefix of RETURNING where the table's name hides OLD or NEW. */
  readonly returningPrefix: string
  readonly insert: string
  readonly upsert: string
  readonly update: string
  readonly delete: string
  /** `t.a AS "__o_0", …`: the columns of the locking sub-select. */
  readonly oldColumns: string
  /** Joins the sub-select's rows to the table by primary key. */
  readonly joinOnKey: string
}

/** Where an upsert of Postgres 15 to 17 keeps the row it is about to overwrite, until its RETURNING reads it. */
const STASH = "change_events.old_row"

/** When the row was written, for the order of commits. A row's next writer comes to this after the last one's commit. */
const WRITTEN_AT = "extract(epoch FROM clock_timestamp())"

export const quote = (name: string): string => `"${name.replaceAll('"', '""')}"`

/** Under `alias`, which is the table's own name unless the user gave an INSERT another. */
export function imageSql(entity: TrackedEntity, serverMajor: number, alias = entity.metadata.tableName): ImageSql {
  const names = entity.columns.map((column) => quote(column.databaseName))
  const hasReturningOld = serverMajor >= 18
  const aliased = hidesRows(alias)
  const [oldRow, newRow] = aliased ? ['"__old_row"', '"__new_row"'] : ["old", "new"]
  const plain = names.join(", ")
  const fromOld = names.map((name) => `${oldRow}.${name}`).join(", ")
  const fromNew = names.map((name) => `${newRow}.${name}`).join(", ")
  const fromSelect = names.map((_, index) => `"__old"."__o_${index}"`).join(", ")
  const stash = `current_setting('${STASH}', true), set_config('${STASH}', '', true)`
  return {
    hasReturningOld,
    returningPrefix: hasReturningOld && aliased ? `WITH (OLD AS ${oldRow}, NEW AS ${newRow}) ` : "",
    insert: `${plain}, ${WRITTEN_AT}`,
    upsert: hasReturningOld ? `${fromOld}, ${fromNew}, ${WRITTEN_AT}` : `${plain}, ${stash}, ${WRITTEN_AT}`,
    update: `${hasReturningOld ? fromOld : fromSelect}, ${hasReturningOld ? fromNew : qualified(entity, names)}, ${WRITTEN_AT}`,
    delete: `${plain}, ${WRITTEN_AT}`,
    oldColumns: names.map((name, index) => `${entity.tableName}.${name} AS "__o_${index}"`).join(", "),
    joinOnKey: entity.primary
      .map((index) => `${entity.tableName}.${names[index]} = "__old"."__o_${index}"`)
      .join(" AND "),
  }
}

/** Whether, under this name, the table's own row is what OLD or NEW means in RETURNING. */
export function hidesRows(alias: string): boolean {
  return ["old", "new"].includes(alias.toLowerCase())
}

function qualified(entity: TrackedEntity, names: readonly string[]): string {
  return names.map((name) => `${entity.tableName}.${name}`).join(", ")
}

/** A condition for DO UPDATE that is always true, and keeps the locked row it is evaluated on as text. */
export function stashRow(entity: TrackedEntity, tableOrAlias: string): string {
  const row = entity.columns.map((column) => `${tableOrAlias}.${quote(column.databaseName)}`).join(", ")
  return `set_config('${STASH}', ROW(${row})::text, true) IS NOT NULL`
}

/**
 * The values of a composite in Postgres' text form, `(1,"a b",,"say ""hi""")`: nothing between commas is null, a quoted
 * value doubles quotes and backslashes.
 */
export function parseComposite(text: string): (string | null)[] {
  const values: (string | null)[] = []
  const field = /("((?:[^"\\]|""|\\.)*)"|[^,()"]*)[,)]/gsy
  field.lastIndex = 1
  for (let match = field.exec(text); match; match = field.exec(text)) {
    const [, bare, quoted] = match
    values.push(
      quoted === undefined ? bare || null : quoted.replace(/""|\\(.)/gs, (pair, escaped) => escaped ?? pair[0]),
    )
  }
  return values
}
