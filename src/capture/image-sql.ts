import type { TrackedEntity } from "./tracked-entity"

/** What is put into a statement of TypeORM's so that it returns the images of the rows it changed. */
export interface ImageSql {
  /** Postgres 18 returns the old row by itself; before, a locking sub-select reads it first. */
  readonly hasReturningOld: boolean
  /** Whether each image is one text, that of a composite: as columns two of them might not fit into a target list. */
  readonly isWide: boolean
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

/** What a target list may hold. */
const MAX_TARGETS = 1_664

/** Of ours besides images, and what a RETURNING of the user's may have besides his columns. */
const FURTHER_TARGETS = 16

export const quote = (name: string): string => `"${name.replaceAll('"', '""')}"`

/** Under `alias`, which is the table's own name unless the user gave an INSERT another. */
export function imageSql(entity: TrackedEntity, serverMajor: number, alias = entity.metadata.tableName): ImageSql {
  const hasReturningOld = serverMajor >= 18
  const isWide = isTooWide(entity)
  const aliased = hidesRows(alias)
  const [oldRow, newRow] = aliased ? ['"__old_row"', '"__new_row"'] : ["old", "new"]
  const row = (from: string): string => rowOf(entity, from, isWide)
  const plain = row("")
  const stash = `current_setting('${STASH}', true), set_config('${STASH}', '', true)`
  const [before, after] = hasReturningOld
    ? [row(`${oldRow}.`), row(`${newRow}.`)]
    : [selectedRow(entity, isWide), row(`${entity.tableName}.`)]
  return {
    hasReturningOld,
    isWide,
    returningPrefix: hasReturningOld && aliased ? `WITH (OLD AS ${oldRow}, NEW AS ${newRow}) ` : "",
    insert: `${plain}, ${WRITTEN_AT}`,
    upsert: hasReturningOld ? `${before}, ${after}, ${WRITTEN_AT}` : `${plain}, ${stash}, ${WRITTEN_AT}`,
    update: `${before}, ${after}, ${WRITTEN_AT}`,
    delete: `${plain}, ${WRITTEN_AT}`,
    oldColumns: oldColumns(entity, isWide),
    joinOnKey: [
      // A table that inherits from this one may have a row of the same key.
      `${entity.tableName}.tableoid = "__old"."__o_table"`,
      ...entity.primary.map((index) => `${entity.tableName}.${nameAt(entity, index)} = "__old"."__o_${index}"`),
    ].join(" AND "),
  }
}

/** Whether two images, and all of the user's columns in a RETURNING of his, may be more than a target list holds. */
function isTooWide({ columns, metadata }: TrackedEntity): boolean {
  return 2 * columns.length + metadata.columns.length + FURTHER_TARGETS > MAX_TARGETS
}

function rowOf(entity: TrackedEntity, from: string, isWide: boolean): string {
  const values = entity.columns.map((_, index) => `${from}${nameAt(entity, index)}`).join(", ")
  return isWide ? `ROW(${values})::text` : values
}

/** The old row as the locking sub-select gives it, and what that selects for it. */
function selectedRow(entity: TrackedEntity, isWide: boolean): string {
  return isWide ? '"__old"."__o_row"' : entity.columns.map((_, index) => `"__old"."__o_${index}"`).join(", ")
}

function oldColumns(entity: TrackedEntity, isWide: boolean): string {
  const from = `${entity.tableName}.`
  const named = (index: number): string => `${from}${nameAt(entity, index)} AS "__o_${index}"`
  const table = `${from}tableoid AS "__o_table"`
  if (isWide) return [`${rowOf(entity, from, true)} AS "__o_row"`, table, ...entity.primary.map(named)].join(", ")
  return [table, ...entity.columns.map((_, index) => named(index))].join(", ")
}

const nameAt = ({ columns }: TrackedEntity, index: number): string => quote(columns[index]?.databaseName as string)

/** Whether, under this name, the table's own row is what OLD or NEW means in RETURNING. */
export function hidesRows(alias: string): boolean {
  return ["old", "new"].includes(alias.toLowerCase())
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
  const field = /("([^"\\]*(?:(?:""|\\.)[^"\\]*)*)"|[^,()"]*)[,)]/gsy
  field.lastIndex = 1
  for (let match = field.exec(text); match; match = field.exec(text)) {
    const [, bare, quoted] = match
    values.push(
      quoted === undefined ? bare || null : quoted.replace(/""|\\(.)/gs, (pair, escaped) => escaped ?? pair[0]),
    )
  }
  return values
}
