import type { ForeignKeyAction } from "./foreign-key-actions"
import { quote } from "./image-sql"
import type { RowImage } from "./row-image"
import { isOneOf } from "./sql-literal"
import type { TrackedEntity } from "./tracked-entity"

/** A key of one column or several, as the server sent it. */
export type KeyTexts = readonly string[]

/** Rows that point to these keys. */
export interface WantedRows {
  readonly action: ForeignKeyAction
  readonly keys: readonly KeyTexts[]
}

/**
 * A statement with the parameters of the DELETE, that locks what it is about to delete and gives the columns that others point to.
 * Whoever would make a row point there, or has made one and not committed, waits or is waited for.
 */
export function doomedRowsText(text: string, columns: readonly string[], maxRows: number): string {
  const start = text.indexOf("DELETE FROM ")
  const rows = text.slice(start + "DELETE ".length, text.lastIndexOf(" RETURNING "))
  return `${text.slice(0, start)}SELECT ${columns.map(quote).join(", ")} ${rows} LIMIT ${maxRows + 1} FOR UPDATE`
}

/** The rows, locked as the foreign key will lock them, and behind their columns those of `referenced`, that others point to. */
export function pointingRowsText({ action, keys }: WantedRows, referenced: readonly string[], maxRows: number): string {
  const { table, columns, deletes } = action
  const { entity } = table
  const names = [...entity.columns.map(({ databaseName }) => databaseName), ...referenced].map(quote)
  const lock = deletes ? "FOR UPDATE" : "FOR NO KEY UPDATE"
  return `SELECT ${names.join(", ")} FROM ${entity.tableName} WHERE ${isOneOf(columns, keys)} LIMIT ${maxRows + 1} ${lock}`
}

/** The rows that are still there of these. */
export function remainingRowsText(entity: TrackedEntity, rows: readonly RowImage[]): string {
  const names = entity.columns.map(({ databaseName }) => quote(databaseName))
  const primary = entity.primary.map((index) => entity.columns[index]?.databaseName as string)
  const keys = rows.map((row) => entity.primary.map((index) => row[index] as string))
  return `SELECT ${names.join(", ")} FROM ${entity.tableName} WHERE ${isOneOf(primary, keys)}`
}
