import { createHash } from "node:crypto"
import type { ServerSideLog } from "../events/transactional-sink"
import type { CapturedStatement } from "./captured-statement"
import { hiddenKeySecret, isHiddenKey, type ImageColumn, type ValueReader } from "./image-column"
import { rowKeySql } from "./row-key-sql"

/** Where the parameters stand that such a statement has besides TypeORM's own. */
interface Parameters {
  readonly body: string
  readonly innerPad: string
  readonly outerPad: string
}

/** Positions of the row's columns in the statement's result, old and new; undefined where there is no such row. */
interface RowPositions {
  readonly old: number | undefined
  readonly new: number | undefined
}

/**
 * The statement, made to write its rows into the change log itself when they are more than `maxRows`: then none travels. Sensitive values
 * are hidden by the server as they would be here. A data-modifying CTE always runs to its end, so the rows are changed and counted.
 *
 * `parameterCount`: of TypeORM's own; behind them come those of `serverSideValues`.
 */
export function logOnServer(
  statement: CapturedStatement,
  text: string,
  { log, statement: statements }: ServerSideLog,
  parameterCount: number,
): string {
  const parameters: Parameters = {
    body: `$${parameterCount + 1}::text`,
    innerPad: `$${parameterCount + 2}::bytea`,
    outerPad: `$${parameterCount + 3}::bytea`,
  }
  const names = Array.from({ length: resultWidth(statement) }, (_, index) => column(index)).join(", ")
  const { oldRow, newRow, key } = rowTexts(statement, parameters)
  return (
    `WITH "__change" (${names}) AS (${text}), "__count" AS (SELECT count(*) AS "n" FROM "__change"), ` +
    `"__statement" AS (INSERT INTO ${statements} (body) SELECT ${parameters.body} FROM "__count" WHERE "n" > ${statement.maxRows} RETURNING id), ` +
    `"__log" AS (INSERT INTO ${log} (key, statement_id, old_row, new_row) ` +
    `SELECT ${key}, "__statement".id, ${oldRow}, ${newRow} FROM "__change" CROSS JOIN "__statement") ` +
    `SELECT "__count"."n", "__change".* FROM "__count" LEFT JOIN "__change" ON "__count"."n" <= ${statement.maxRows}`
  )
}

/**
 * Whether the statement can: before Postgres 18 an upsert's old row is one text, in which nothing can be hidden; of a wide table every
 * row is, and no key can be taken out of it.
 */
export function canLogOnServer({ entity, kind, sql }: Pick<CapturedStatement, "entity" | "kind" | "sql">): boolean {
  if (sql.isWide) return false
  return kind !== "upsert" || sql.hasReturningOld || !entity.columns.some((image) => image.sensitive || isKey(image))
}

const isKey = (image: ImageColumn): boolean => image.metadata.isPrimary && isHiddenKey(image)

/** The parameters of `logOnServer`: what the rows share, and the two keys of an HMAC if the entity has hidden columns. */
export function serverSideValues(statement: CapturedStatement, body: string, reader: ValueReader): unknown[] {
  if (!statement.entity.columns.some(needsHmac)) return [body]
  const [innerPad, outerPad] = hmacPads(hiddenKeySecret(reader))
  return [body, innerPad, outerPad]
}

const needsHmac = (image: ImageColumn): boolean => image.sensitive === "hash" || isKey(image)

/** The columns of the CTE: those of the images, and when the row was written. */
function resultWidth({ entity, kind, sql }: CapturedStatement): number {
  const count = entity.columns.length
  if (kind === "update" || (kind === "upsert" && sql.hasReturningOld)) return 2 * count + 1
  return kind === "upsert" ? count + 3 : count + 1
}

function rowTexts(
  statement: CapturedStatement,
  parameters: Parameters,
): { readonly oldRow: string; readonly newRow: string; readonly key: string } {
  const { entity, kind, sql } = statement
  const count = entity.columns.length
  const composite = (from: number | undefined, other: number | undefined): string => {
    if (from === undefined) return "NULL"
    const values = entity.columns.map((image, index) => shown(image, { from, other, index }, parameters))
    return `ROW(${values.join(", ")})::text`
  }
  if (kind === "upsert" && !sql.hasReturningOld) {
    const newRow = composite(0, undefined)
    return { oldRow: `nullif(${column(count)}, '')`, newRow, key: keyText(statement, [0], parameters) }
  }
  const at = positions(kind, count)
  const oldRow = composite(at.old, at.new)
  const newRow = composite(at.new, at.old)
  const starts = [at.old, at.new].filter((start) => start !== undefined)
  if (kind !== "upsert") return { oldRow, newRow, key: keyText(statement, starts.slice(0, 1), parameters) }
  const isNew = entity.primary.map((index) => `${column(index)} IS NULL`).join(" AND ")
  return {
    oldRow: `CASE WHEN ${isNew} THEN NULL ELSE ${oldRow} END`,
    newRow,
    key: keyText(statement, starts, parameters),
  }
}

function positions(kind: CapturedStatement["kind"], count: number): RowPositions {
  if (kind === "insert") return { old: undefined, new: 0 }
  return kind === "delete" ? { old: 0, new: undefined } : { old: 0, new: count }
}

const column = (index: number): string => `"c${index}"`

interface ShownColumn {
  /** Where the row's columns begin, and those of the other row, if there is one. */
  readonly from: number
  readonly other: number | undefined
  readonly index: number
}

/** A masked value is told by one of two texts, so that it can be seen that it changed; a masked key by its HMAC, which the event's key needs. */
function shown(image: ImageColumn, { from, other, index }: ShownColumn, parameters: Parameters): string {
  const own = column(from + index)
  if (image.sensitive === "mask" && !isKey(image)) {
    const isChanged =
      other === undefined || from < other ? "false" : `concat(${own}) <> concat(${column(other + index)})`
    return `CASE WHEN ${own} IS DISTINCT FROM NULL THEN CASE WHEN ${isChanged} THEN '2' ELSE '1' END END`
  }
  if (!needsHmac(image)) return own
  return `CASE WHEN ${own} IS DISTINCT FROM NULL THEN ${hmacSql(own, parameters)} END`
}

/** `starts`: where the row begins whose key it is; of several the first that is there. */
function keyText({ entity }: CapturedStatement, starts: readonly number[], parameters: Parameters): string {
  const part = (index: number): string => {
    const isHidden = isHiddenKey(entity.columns[index] as ImageColumn)
    const texts = starts.map((start) => (isHidden ? hmacSql(column(start + index), parameters) : column(start + index)))
    return texts.length === 1 ? (texts[0] as string) : `coalesce(${texts.join(", ")})`
  }
  return rowKeySql(entity, part, column((starts.at(-1) ?? 0) + entity.discriminator))
}

/** HMAC-SHA-256 from the one hash that every Postgres has. */
function hmacSql(value: string, { innerPad, outerPad }: Parameters): string {
  return `encode(sha256(${outerPad} || sha256(${innerPad} || convert_to(concat(${value}), 'UTF8'))), 'hex')`
}

const BLOCK_BYTES = 64

function hmacPads(key: string): [inner: Buffer, outer: Buffer] {
  const bytes = Buffer.from(key)
  const block = Buffer.alloc(BLOCK_BYTES)
  ;(bytes.length > BLOCK_BYTES ? createHash("sha256").update(bytes).digest() : bytes).copy(block)
  return [block.map((byte) => byte ^ 0x36) as Buffer, block.map((byte) => byte ^ 0x5c) as Buffer]
}
