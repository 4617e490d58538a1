import type { DataSource } from "typeorm"
import { MASKED } from "../runtime/masked-copy"
import { jsonValue } from "../runtime/json-value"
import { hmac, type ColumnMetadata } from "./image-column"

/** What a sensitive value is shown as. */
export type ShownMode = "mask" | "hash" | undefined

export interface EntityValueReader {
  readonly dataSource: DataSource
  readonly sensitiveHashKey: string
}

const TIMESTAMPS = ["timestamp", "timestamptz", "timestamp with time zone", "timestamp without time zone", "datetime"]
const EXACT_NUMBERS = ["bigint", "int8", "numeric", "decimal"]

/** The value of an entity's property as a record shows it: what the image of its row would have. */
export function entityValue(
  value: unknown,
  column: ColumnMetadata,
  mode: ShownMode,
  { dataSource, sensitiveHashKey }: EntityValueReader,
): unknown {
  if (mode === undefined) return shown(jsonValue(asReloaded(value, column, dataSource)))
  if (value === null) return null
  if (mode === "mask" || sensitiveHashKey === "") return MASKED
  return hmac(databaseText(value, column, dataSource), sensitiveHashKey)
}

/** An entity that was just written may hold what its user gave, where a reload would give the driver's form. */
function asReloaded(value: unknown, column: ColumnMetadata, dataSource: DataSource): unknown {
  if (value === null || column.transformer || column.isArray) return value
  const type = typeof column.type === "function" ? column.type.name.toLowerCase() : column.type
  if (EXACT_NUMBERS.includes(type) && typeof value === "number") return String(value)
  const isTime = [...TIMESTAMPS, "date", "time"].includes(type)
  return isTime ? (dataSource.driver.prepareHydratedValue(value, column) as unknown) : value
}

function shown(value: unknown): unknown {
  return value === undefined ? null : value
}

/** The value as Postgres writes it, for texts, numbers, booleans and bytes; else its JSON. */
export function databaseText(given: unknown, column: ColumnMetadata, dataSource: DataSource): string {
  const value = dataSource.driver.preparePersistentValue(given, column) as unknown
  if (typeof value === "string") return value
  if (typeof value === "boolean") return value ? "t" : "f"
  if (typeof value === "number" || typeof value === "bigint") return String(value)
  return Buffer.isBuffer(value) ? `\\x${value.toString("hex")}` : JSON.stringify(jsonValue(value))
}
