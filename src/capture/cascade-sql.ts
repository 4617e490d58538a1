import type { ForeignKeyAction } from "./foreign-key-actions"
import { quote } from "./image-sql"
import type { NewTexts } from "./new-keys"
import { isOneOf, literal } from "./sql-literal"
import type { TrackedEntity } from "./tracked-entity"

/** A key of one column or several, as the server sent it. */
export type KeyTexts = readonly string[]

/** Rows that point to these keys. */
export interface WantedRows {
  readonly action: ForeignKeyAction
  readonly keys: readonly KeyTexts[]
  /** What the columns that they point to come to hold; none where the rows are deleted. */
  readonly texts: NewTexts
}

/** A text, and which of the statement's parameters are its own, counted from 0. */
export interface LockingText {
  readonly text: string
  readonly parameters: readonly number[]
}

/**
 * Locks what a DELETE is about to delete and gives the columns that others point to. Whoever would make a row point there, or has made one
 * and not committed, waits or is waited for.
 */
export function deletedRowsText(text: string, columns: readonly string[], maxRows: number): LockingText {
  const start = text.indexOf("DELETE FROM ")
  const rows = text.slice(start + "DELETE ".length, text.lastIndexOf(" RETURNING "))
  const select = `SELECT ${columns.map(quote).join(", ")} ${rows} LIMIT ${maxRows + 1} FOR UPDATE`
  return renumbered(text.slice(0, start) + select)
}

interface UpdateText {
  readonly text: string
  readonly where: string
  readonly tableName: string
}

/**
 * The same of what an UPDATE is about to change, locked as it will be: a row whose key stays as it is waits for nobody who comes to point to it.
 * The last text gives all the rows.
 */
export function changedRowsTexts(
  { text, where, tableName }: UpdateText,
  columns: readonly string[],
  { texts, maxRows }: { readonly texts: NewTexts; readonly maxRows: number },
): readonly LockingText[] {
  const start = text.slice(0, text.indexOf(`UPDATE ${tableName} SET `)) + `SELECT ${columns.map(quote).join(", ")} FROM`
  const select = (from: string, lock: string): LockingText =>
    renumbered(`${start} ${tableName}${from} LIMIT ${maxRows + 1} FOR ${lock}`)
  const moving = isMoved(columns, texts)
  if (moving === undefined) return [select(where, "UPDATE")]
  const condition = where.trim().replace(/^WHERE /, "")
  return [
    select(` WHERE ${condition === "" ? moving : `(${condition}) AND (${moving})`}`, "UPDATE"),
    select(where, "NO KEY UPDATE"),
  ]
}

/** Whether a row's key comes to be another one; undefined where that is not known beforehand. */
function isMoved(columns: readonly string[], texts: NewTexts): string | undefined {
  const changed = columns.filter((name) => texts.has(name))
  const known = changed.flatMap((name) => texts.get(name) ?? [])
  if (known.length < changed.length) return undefined
  return changed.map((name, index) => `${quote(name)} IS DISTINCT FROM ${literal(known[index] as string)}`).join(" OR ")
}

const PARAMETER_OR_QUOTED = /'(?:[^']|'')*'|"(?:[^"]|"")*"|\$(\d+)/g

/** With its parameters counted from 1 again: the server must be able to tell the type of each. */
function renumbered(text: string): LockingText {
  const parameters: number[] = []
  const counted = text.replace(PARAMETER_OR_QUOTED, (found, digits: string | undefined) => {
    if (digits === undefined) return found
    const parameter = Number(digits) - 1
    if (!parameters.includes(parameter)) parameters.push(parameter)
    return `$${parameters.indexOf(parameter) + 1}`
  })
  return { text: counted, parameters }
}

/**
 * The rows, locked as the foreign key will lock them, and behind their columns those of `referenced`, that others point to and that will be
 * gone or changed.
 */
export function pointingRowsText({ action, keys }: WantedRows, referenced: readonly string[], maxRows: number): string {
  const { table, columns, deletes } = action
  const { entity } = table
  const names = [...entity.columns.map(({ databaseName }) => databaseName), ...referenced].map(quote)
  const lock = deletes || referenced.length > 0 ? "FOR UPDATE" : "FOR NO KEY UPDATE"
  return `SELECT ${names.join(", ")} FROM ${entity.tableName} WHERE ${isOneOf(columns, keys)} LIMIT ${maxRows + 1} ${lock}`
}

/** Locks the rows themselves that have the keys, so that nobody comes to point to them. */
export function keyLockText({ tableName }: TrackedEntity, { action, keys }: WantedRows): string {
  return `SELECT FROM ${tableName} WHERE ${isOneOf(action.referenced, keys)} FOR UPDATE`
}

/** The rows that have one of these keys now. */
export function rowsOfKeysText(entity: TrackedEntity, keys: readonly KeyTexts[]): string {
  const names = entity.columns.map(({ databaseName }) => quote(databaseName))
  return `SELECT ${names.join(", ")} FROM ${entity.tableName} WHERE ${isOneOf(keyNames(entity), keys)}`
}

/** Of the primary key's columns in the database. */
export function keyNames({ primary, columns }: TrackedEntity): readonly string[] {
  return primary.map((index) => columns[index]?.databaseName as string)
}
