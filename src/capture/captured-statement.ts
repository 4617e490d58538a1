import type { ServerSideLog } from "../events/transactional-sink"
import type { ForeignKeyAction } from "./foreign-key-actions"
import type { ImageSql } from "./image-sql"
import type { LockingText } from "./cascade-sql"
import type { NewTexts } from "./new-keys"
import { logOnServer } from "./server-side-log"
import type { TrackedEntity } from "./tracked-entity"
import type { TrackedJunction } from "./tracked-relation"

export type StatementKind = "insert" | "upsert" | "update" | "delete"

/** One execution of a builder whose statement returns images. */
export interface CapturedStatement {
  readonly entity: TrackedEntity
  /** Whose rows `entity`'s are, if it is no entity of the application's. */
  readonly junction: TrackedJunction | undefined
  readonly sql: ImageSql
  readonly kind: StatementKind
  /** Whether the rows stay on the server when there are more than `maxRows`. */
  readonly limited: boolean
  /** Where a limited statement writes them instead; undefined: nowhere, they are reported. */
  readonly serverSide: ServerSideLog | undefined
  readonly maxRows: number
  /** PK columns that the upsert overwrites: its old and new row cannot be told to be one by their keys. */
  readonly overwritesKey: boolean
  /** Of a DELETE, or an UPDATE of a key: what foreign keys make of the rows that point to its. */
  readonly actions: readonly ForeignKeyAction[]
  /** Of an UPDATE with actions: what the columns that others point to come to hold. */
  readonly newKeys?: NewTexts | undefined
  /** Statements that lock its rows; the last of them gives what those columns hold that others point to, and behind them the primary key. */
  readonly locking?: readonly LockingText[]
  /** Whether a CTE of the user's writes, too: its rows are not captured. */
  readonly hidesWrite: boolean
}

// Stand for the images until TypeORM has replaced property names in its statement: that replacement is a regular expression over the
// whole text, and took 40 to 80 µs more with a list of columns in it.
const IMAGES = '"__change_images"'
const OLD_COLUMNS = '"__change_old"'
const JOIN = '"__change_join"'

const WHERE = ['"__change_where"', '"__change_end"'] as const

/** Marks the condition of an UPDATE whose rows must be found before it is carried out. */
export function markedWhere(statement: CapturedStatement, where: string): string {
  return statement.actions.length > 0 ? ` ${WHERE[0]}${where} ${WHERE[1]}` : where
}

/** The condition of a statement that was marked. */
export function whereOf(text: string): string {
  return text.slice(text.indexOf(WHERE[0]) + WHERE[0].length, text.indexOf(WHERE[1]))
}

const BARE_ASTERISK = /(?<=^\s*|,\s*)\*(?=\s*(,|$))/g

/** `a, b` or `*` as the user wants it returned, and the images behind it. */
export function returningWithImages(statement: CapturedStatement, returning: string): string {
  const { sql, entity } = statement
  if (returning === "") return sql.returningPrefix + IMAGES
  const joined = statement.kind === "update" && !sql.hasReturningOld
  // A bare asterisk would also mean the columns of the joined sub-select.
  const wanted = joined ? returning.replace(BARE_ASTERISK, () => `${entity.tableName}.*`) : returning
  return `${sql.returningPrefix}${wanted}, ${IMAGES}`
}

/** Reads the rows under their lock before they are updated: what concurrent writers committed meanwhile is in the image. */
export function lockingWhere(where: string, tableName: string): string {
  return ` FROM (SELECT ${OLD_COLUMNS} FROM ${tableName}${where} FOR NO KEY UPDATE) "__old" WHERE ${JOIN}`
}

/** The statement as it is sent, with so many parameters of TypeORM's. */
export function completeStatement(statement: CapturedStatement, text: string, parameterCount: number): string {
  const { sql, kind } = statement
  const completed = text
    .replace(IMAGES, () => sql[kind])
    .replace(OLD_COLUMNS, () => sql.oldColumns)
    .replace(JOIN, () => sql.joinOnKey)
    .replace(WHERE[0], "")
    .replace(WHERE[1], "")
  if (!statement.limited) return completed
  const { serverSide } = statement
  return serverSide
    ? logOnServer(statement, completed, serverSide, parameterCount)
    : limitRows(completed, statement.maxRows)
}

/**
 * A data-modifying CTE always runs to its end, so the count is right and the rows are changed; their images come only if they are few
 * enough. One row comes in any case: it carries the count.
 */
function limitRows(text: string, maxRows: number): string {
  return (
    `WITH "__change" AS (${text}) SELECT "__count"."n", "__change".* FROM (SELECT count(*) AS "n" FROM "__change") "__count" ` +
    `LEFT JOIN "__change" ON "__count"."n" <= ${maxRows}`
  )
}

/** How many columns at the end of the result are ours: the images, when the row was written, and before them the count. */
export function imageWidth({ entity, sql, kind, limited }: CapturedStatement): number {
  const columns = sql.isWide ? 1 : entity.columns.length
  const counted = limited ? 2 : 1
  if (kind === "update" || (kind === "upsert" && sql.hasReturningOld)) return 2 * columns + counted
  return (kind === "upsert" ? columns + 2 : columns) + counted
}

interface Clause {
  readonly type: string
  readonly condition: unknown
}

interface Comparison {
  readonly operator: string
  readonly parameters: readonly unknown[]
}

/** Property paths that together identify one row: the primary key, or a unique constraint. */
export type RowKey = readonly string[]

/**
 * Whether the conditions name every row by a key, and so at most `maxRows` of them: such a statement needs no limit, which costs a
 * tenth more.
 */
export function namesRowsByKey(wheres: readonly Clause[], keys: readonly RowKey[], maxRows: number): boolean {
  const [first, ...others] = wheres
  if (!first || others.some((clause) => clause.type === "or") || !Array.isArray(first.condition)) return false
  const alternatives = first.condition as Clause[]
  if (alternatives.length > 0 && alternatives.every((clause) => clause.type === "or")) {
    return alternatives.length <= maxRows && alternatives.every((clause) => fixesAnyKey(clause.condition, keys, 1))
  }
  return fixesAnyKey(alternatives, keys, maxRows)
}

function fixesAnyKey(conditions: unknown, keys: readonly RowKey[], maxRows: number): boolean {
  if (!Array.isArray(conditions)) return false
  const comparisons = (conditions as Clause[]).map((clause) => clause.condition as Comparison)
  return keys.some((key) => {
    const most = key.length === 1 ? maxRows : 1
    return key.every((path) => comparisons.some((comparison) => fixes(comparison, path, most)))
  })
}

function fixes(comparison: Comparison, path: string, maxRows: number): boolean {
  if (comparison?.parameters?.[0] !== path) return false
  if (comparison.operator === "equal") return true
  return comparison.operator === "in" && comparison.parameters.length - 1 <= maxRows && maxRows > 1
}
