import type { PendingEvent } from "../events/sink"
import type { ChangeBatch } from "./captured-change"
import { imageWidth, type CapturedStatement } from "./captured-statement"
import type { DriverConnection, DriverField, DriverResult } from "./driver-connection"
import { rowChanges } from "./row-changes"
import type { RowImage, RowPair } from "./row-image"
import { parseComposite } from "./image-sql"

type RawRow = readonly (string | null)[]

/** What a captured statement brought besides TypeORM's own result. */
export interface StatementRows {
  /** Rows that the statement changed; more than `images` when they stayed on the server. */
  readonly changedRows: number
  /** The last columns of each row, as text. */
  readonly images: readonly RawRow[]
  /** When the last of them was written, in seconds by the server's clock; 0 when there is none. */
  readonly writtenAt: number
  /** The columns that `images` hold; of a wide table they are not described. */
  readonly fields: readonly DriverField[]
}

const COMMAND = { insert: "INSERT", upsert: "INSERT", update: "UPDATE", delete: "DELETE" } as const

/** Reads what is ours of the driver's result. */
export function takeRows(statement: CapturedStatement, result: DriverResult): StatementRows {
  const rows = result.rows as RawRow[]
  const fields = result.fields
  const own = fields.length - imageWidth(statement)
  if (!statement.limited) {
    const images = imagesOf(statement, own === 0 ? rows : rows.map((row) => row.slice(own)))
    return { changedRows: rows.length, images, writtenAt: lastWrite(rows), fields: fields.slice(own) }
  }

  const changedRows = Number(rows[0]?.[0] ?? 0)
  const fit = changedRows > 0 && changedRows <= statement.maxRows
  const images = imagesOf(statement, fit ? rows.map((row) => row.slice(1)) : [])
  return { changedRows, images, writtenAt: lastWrite(rows), fields: fields.slice(1) }
}

/** Of a wide table each image is one text, and the driver's result one column for each. */
function imagesOf({ sql, kind }: CapturedStatement, rows: readonly RawRow[]): readonly RawRow[] {
  if (!sql.isWide) return rows
  const count = kind === "update" || (kind === "upsert" && sql.hasReturningOld) ? 2 : 1
  return rows.map((row) => [
    ...row.slice(0, count).flatMap((text) => parseComposite(text as string)),
    ...row.slice(count),
  ])
}

/**
 * Makes of the driver's result what TypeORM's own statement would have given. What a type parser of the application's throws, it would
 * have thrown there too.
 */
export function restoreResult(statement: CapturedStatement, result: DriverResult, connection: DriverConnection): void {
  const rows = result.rows as RawRow[]
  result.fields = result.fields.slice(0, result.fields.length - imageWidth(statement))
  result.rows = result.fields.length === 0 ? [] : rows.map(toObject(result.fields, connection))
  if (!statement.limited) return
  result.rowCount = Number(rows[0]?.[0] ?? 0)
  result.command = COMMAND[statement.kind]
}

function lastWrite(rows: readonly RawRow[]): number {
  return Number(rows.at(-1)?.at(-1) ?? 0)
}

/** A row as `pg` makes it: an object with the driver's own values. */
function toObject(
  fields: readonly DriverField[],
  connection: DriverConnection,
): (row: RawRow) => Record<string, unknown> {
  const parsers = fields.map((field) => connection.getTypeParser(field.dataTypeID, field.format))
  return (row) => {
    const object: Record<string, unknown> = {}
    fields.forEach((field, index) => {
      const text = row[index] ?? null
      object[field.name] = text === null ? null : parsers[index]?.(text)
    })
    return object
  }
}

/** What the images of a statement depend on. */
export type ImagedStatement = Pick<CapturedStatement, "entity" | "sql" | "kind" | "overwritesKey">

/** The changes that the images tell, in the order in which the server returned the rows. */
export function changesOf(statement: ImagedStatement, images: readonly RawRow[], batch: ChangeBatch): PendingEvent[] {
  const toPair = pairReader(statement)
  return images.flatMap((row) => rowChanges(batch, toPair(row)))
}

/** The rows that the statement changed, before and after it. */
export function rowPairs(statement: CapturedStatement, images: readonly RawRow[]): RowPair[] {
  return images.map(pairReader(statement))
}

function pairReader(statement: ImagedStatement): (row: RawRow) => RowPair {
  const count = statement.entity.columns.length
  switch (statement.kind) {
    case "insert":
      return (row) => ({ after: row.slice(0, count) })
    case "delete":
      return (row) => ({ before: row.slice(0, count) })
    case "update":
      return (row) => ({ before: row.slice(0, count), after: row.slice(count, 2 * count) })
    case "upsert":
      return statement.sql.hasReturningOld ? upsertedRow(statement) : stashedRow(statement)
  }
}

function upsertedRow({ entity }: ImagedStatement): (row: RawRow) => RowPair {
  const count = entity.columns.length
  return (row) => {
    const [before, after] = [row.slice(0, count), row.slice(count, 2 * count)]
    const isNew = entity.primary.every((index) => before[index] === null)
    return isNew ? { after } : { before, after }
  }
}

/** Before Postgres 18 the old row comes as text; one that belongs to another row was left behind by it. */
function stashedRow(statement: ImagedStatement): (row: RawRow) => RowPair {
  const { columns, primary } = statement.entity
  return (row) => {
    const after = row.slice(0, columns.length)
    const stash = row[columns.length]
    const before: RowImage | undefined = stash ? parseComposite(stash) : undefined
    const isSameRow = before && (statement.overwritesKey || primary.every((index) => before[index] === after[index]))
    return isSameRow ? { before, after } : { after }
  }
}
