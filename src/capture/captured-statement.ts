import type { EntityMetadata } from "typeorm"
import type { ImageSql } from "./image-sql"
import type { TrackedEntity } from "./tracked-entity"

export type StatementKind = "insert" | "upsert" | "update" | "delete"

/** One execution of a builder whose statement returns images. */
export interface CapturedStatement {
  readonly entity: TrackedEntity
  readonly sql: ImageSql
  readonly kind: StatementKind
  /** Whether the rows stay on the server when there are more than `maxRows`. */
  readonly limited: boolean
  readonly maxRows: number
  /** PK columns that the upsert overwrites: its old and new row cannot be told to be one by their keys. */
  readonly overwritesKey: boolean
}

// Stand for the images until TypeORM has replaced property names in its statement: that replacement is a regular expression over the
// whole text, and took 40 to 80 µs more with a list of columns in it.
const IMAGES = '"__change_images"'
const OLD_COLUMNS = '"__change_old"'
const JOIN = '"__change_join"'

/** `a, b` or `*` as the user wants it returned, and the images behind it. */
export function returningWithImages(statement: CapturedStatement, returning: string): string {
  const { sql, entity } = statement
  if (returning === "") return sql.returningPrefix + IMAGES
  const joined = statement.kind === "update" && !sql.hasReturningOld
  const wanted = joined && returning.trim() === "*" ? `${entity.tableName}.*` : returning
  return `${sql.returningPrefix}${wanted}, ${IMAGES}`
}

/** Reads the rows under their lock before they are updated: what concurrent writers committed meanwhile is in the image. */
export function lockingWhere(where: string, tableName: string): string {
  return ` FROM (SELECT ${OLD_COLUMNS} FROM ${tableName}${where} FOR NO KEY UPDATE) "__old" WHERE ${JOIN}`
}

/** The statement as it is sent. */
export function completeStatement(statement: CapturedStatement, text: string): string {
  const { sql, kind } = statement
  const completed = text
    .replace(IMAGES, () => sql[kind])
    .replace(OLD_COLUMNS, () => sql.oldColumns)
    .replace(JOIN, () => sql.joinOnKey)
  return statement.limited ? limitRows(completed, statement.maxRows) : completed
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

/** How many columns at the end of the result are ours. */
export function imageWidth({ entity, sql, kind, limited }: CapturedStatement): number {
  const columns = entity.columns.length
  const counted = limited ? 1 : 0
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

/**
 * Whether the conditions name every row by its primary key, and so at most `maxRows` of them: such a statement needs no limit, which
 * costs a tenth more.
 */
export function namesRowsByKey(wheres: readonly Clause[], metadata: EntityMetadata, maxRows: number): boolean {
  const [first, ...others] = wheres
  if (!first || others.some((clause) => clause.type === "or")) return false
  const alternatives = Array.isArray(first.condition) ? (first.condition as Clause[]) : []
  if (alternatives.length > 0 && alternatives.every((clause) => clause.type === "or")) {
    return alternatives.length <= maxRows && alternatives.every((clause) => fixesKey(clause.condition, metadata, 1))
  }
  return fixesKey(alternatives, metadata, maxRows)
}

function fixesKey(conditions: unknown, metadata: EntityMetadata, maxRows: number): boolean {
  if (!Array.isArray(conditions)) return false
  const comparisons = (conditions as Clause[]).map((clause) => clause.condition as Comparison)
  return metadata.primaryColumns.every((column) =>
    comparisons.some((comparison) => {
      if (comparison?.parameters?.[0] !== column.propertyPath) return false
      const isIn = comparison.operator === "in" && metadata.primaryColumns.length === 1
      return comparison.operator === "equal" || (isIn && comparison.parameters.length - 1 <= maxRows)
    }),
  )
}
