import { createHmac } from "node:crypto"
import type { EntityMetadata } from "typeorm"
import { jsonValue } from "../runtime/json-value"
import type { SensitiveMode } from "./capture-options"
import { declaredSensitivity } from "./decorators"

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

export interface ColumnRules {
  /** Property paths that `ignore` names. */
  readonly ignore: ReadonlySet<string>
  /** Modes given by option, for entities without a class. */
  readonly sensitive: Readonly<Record<string, SensitiveMode>>
}

/** The columns of the entity that are read, in their order: keys and those that a record shows. */
export function imageColumns(metadata: EntityMetadata, rules: ColumnRules): ImageColumn[] {
  return metadata.columns
    .filter((column) => !column.isVirtualProperty)
    .flatMap((column) => imageColumn(column, rules) ?? [])
}

function imageColumn(metadata: ColumnMetadata, rules: ColumnRules): ImageColumn | undefined {
  const sensitive = rules.sensitive[metadata.propertyPath] ?? declaredMode(metadata)
  const path = metadata.isSelect && sensitive !== "omit" && !isIgnored(metadata, rules) ? recordPath(metadata) : []
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

/** What `@Sensitive` said, on the column's property or on the relation whose key it holds. */
function declaredMode(metadata: ColumnMetadata): SensitiveMode | undefined {
  const owner = metadata.embeddedMetadata?.type ?? metadata.target
  const relation = metadata.relationMetadata
  return (
    declaredSensitivity(owner, metadata.propertyName) ??
    (relation && declaredSensitivity(relation.target, relation.propertyName))
  )
}

function isIgnored(metadata: ColumnMetadata, rules: ColumnRules): boolean {
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

export type ValueParser = (text: string) => unknown

export interface ValueReader {
  readonly hydrate: (value: unknown, column: ColumnMetadata) => unknown
  readonly sensitiveHashKey: string
}

/** The value as a record shows it: what a reload of the row would give, as JSON can hold it. */
export function readValue(text: string | null, column: ImageColumn, parse: ValueParser, reader: ValueReader): unknown {
  if (text === null && !column.hydratedAs.transformer) return null
  if (column.sensitive === "mask") return text === null ? null : "***"
  if (column.sensitive === "hash") return text === null ? null : hmac(text, reader.sensitiveHashKey)
  const value = jsonValue(reader.hydrate(text === null ? null : parse(text), column.hydratedAs))
  return value === undefined ? null : value
}

function hmac(text: string, key: string): string {
  return createHmac("sha256", key).update(text).digest("hex")
}
