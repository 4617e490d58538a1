import { createHmac, randomBytes } from "node:crypto"
import type { EntityMetadata } from "typeorm"
import { jsonValue } from "../runtime/json-value"
import type { SensitiveMode } from "./capture-options"
import { columnMode, type ColumnRules, type RulesOf } from "./column-mode"

export type ColumnMetadata = EntityMetadata["columns"][number]

/** One column of a row image: where it stands in the database and where in the record. */
export interface ImageColumn {
  readonly metadata: ColumnMetadata
  /** A foreign key has no transformer of its own: it is shown as the key it points to. */
  readonly hydratedAs: ColumnMetadata
  readonly databaseName: string
  /** Where the value stands in the record, such as ["address", "city"]. Empty: read, but not shown (a hidden primary key). */
  readonly path: readonly string[]
  readonly sensitive: Exclude<SensitiveMode, "omit"> | undefined
  /** Update-date, version and ignored columns are no difference by themselves. */
  readonly countsAsDifference: boolean
}

/**
 * The columns of the entity that are read, in their order: keys and those that a record shows. With single-table inheritance a
 * column of a child has that child's rules.
 */
export function imageColumns(metadata: EntityMetadata, rulesOf: RulesOf): ImageColumn[] {
  return metadata.columns
    .filter((column) => !column.isVirtualProperty)
    .flatMap((column) => imageColumn(column, rulesOf) ?? [])
}

function imageColumn(metadata: ColumnMetadata, rulesOf: RulesOf): ImageColumn | undefined {
  const sensitive = columnMode(metadata, rulesOf)
  const path = sensitive !== "omit" && !isIgnored(metadata, rulesOf(metadata)) ? recordPath(metadata) : []
  if (path.length === 0 && !metadata.isPrimary && !metadata.isDiscriminator && !metadata.isDeleteDate) return undefined
  return {
    metadata,
    hydratedAs: referenced(metadata),
    databaseName: metadata.databaseName,
    path,
    sensitive: sensitive === "omit" ? undefined : sensitive,
    countsAsDifference: path.length > 0 && !metadata.isUpdateDate && !metadata.isVersion,
  }
}

/** Whether `ignore` names the column's property, its relation, or an embedded one at the top that it stands in. */
export function isIgnored(metadata: ColumnMetadata, rules: ColumnRules): boolean {
  const relation = metadata.relationMetadata?.propertyPath
  const paths = metadata.isVirtual && relation ? [relation] : [metadata.propertyPath]
  return paths.some((path) => rules.ignore.has(path) || rules.ignore.has(path.split(".")[0] as string))
}

function referenced(metadata: ColumnMetadata): ColumnMetadata {
  return metadata.isVirtual && metadata.referencedColumn ? referenced(metadata.referencedColumn) : metadata
}

/** A foreign key without a property of its own stands under its relation, one of several key columns under its own name there. */
function recordPath(metadata: ColumnMetadata): readonly string[] {
  if (!metadata.isVirtual) return metadata.propertyPath.split(".")
  const relation = metadata.relationMetadata
  if (!relation || !metadata.referencedColumn) return []
  const path = relation.propertyPath.split(".")
  return relation.joinColumns.length > 1 ? [...path, metadata.referencedColumn.propertyName] : path
}

/** Without `sensitiveHashKey` hidden keys are equal within this process only. */
const PROCESS_KEY = randomBytes(32).toString("hex")

export type ValueParser = (text: string) => unknown

export interface ValueReader {
  readonly hydrate: (value: unknown, column: ColumnMetadata) => unknown
  readonly sensitiveHashKey: string
  /**
   * Whether the texts of sensitive columns are hidden already, as the server writes them into the change log. "mask": also those that are
   * to be hashed, for want of a secret. Default false.
   */
  readonly isHidden?: boolean | "mask"
}

/** The value as a record shows it: what a reload of the row would give, as JSON can hold it. */
export function readValue(text: string | null, column: ImageColumn, parse: ValueParser, reader: ValueReader): unknown {
  if (text === null && !column.hydratedAs.transformer) return null
  if (column.sensitive === "mask" || (column.sensitive && reader.isHidden === "mask"))
    return text === null ? null : "***"
  if (column.sensitive === "hash") return text === null || reader.isHidden ? text : hmac(text, reader.sensitiveHashKey)
  const value = jsonValue(reader.hydrate(text === null ? null : parse(text), column.hydratedAs))
  return value === undefined ? null : value
}

/** A key's text for the event's `key`: one that no consumer may see stands there as its HMAC. */
export function keyText(text: string, column: ImageColumn, reader: ValueReader): string {
  return isHiddenKey(column) && !reader.isHidden ? hmac(text, hiddenKeySecret(reader)) : text
}

export function isHiddenKey(column: ImageColumn): boolean {
  return column.sensitive !== undefined || column.path.length === 0
}

export function hiddenKeySecret(reader: ValueReader): string {
  return reader.sensitiveHashKey || PROCESS_KEY
}

export function hmac(text: string, key: string): string {
  return createHmac("sha256", key).update(text).digest("hex")
}
