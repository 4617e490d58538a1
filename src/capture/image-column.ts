import { createHmac, randomBytes } from "node:crypto"
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

/**
 * The columns of the entity that are read, in their order: keys and those that a record shows. With single-table inheritance a
 * column of a child has that child's rules.
 */
export function imageColumns(
  metadata: EntityMetadata,
  rulesOf: (column: ColumnMetadata) => ColumnRules,
): ImageColumn[] {
  return metadata.columns
    .filter((column) => !column.isVirtualProperty)
    .flatMap((column) => imageColumn(column, rulesOf(column)) ?? [])
}

function imageColumn(metadata: ColumnMetadata, rules: ColumnRules): ImageColumn | undefined {
  const sensitive = givenMode(metadata, rules) ?? declaredMode(metadata)
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

/** What the option says of the column's property, its relation, or an embedded one that it stands in. */
function givenMode(metadata: ColumnMetadata, rules: ColumnRules): SensitiveMode | undefined {
  const path =
    metadata.isVirtual && metadata.relationMetadata ? metadata.relationMetadata.propertyPath : metadata.propertyPath
  const parts = path.split(".")
  const paths = parts.map((_, index) => parts.slice(0, parts.length - index).join("."))
  return paths.map((each) => rules.sensitive[each]).find((mode) => mode !== undefined)
}

/** What `@Sensitive` said: of the column's property, of the relation whose key it holds, of an embedded one that it stands in. */
function declaredMode(metadata: ColumnMetadata): SensitiveMode | undefined {
  const embedded = metadata.embeddedMetadata
  const relation = metadata.relationMetadata
  const own = declaredSensitivity(embedded?.type ?? metadata.target, metadata.propertyName)
  if (own) return own
  const ofRelation =
    relation && declaredSensitivity(relation.embeddedMetadata?.type ?? relation.target, relation.propertyName)
  const { entityMetadata } = metadata
  const targets = [entityMetadata, ...entityMetadata.childEntityMetadatas].map((each) => each.target)
  return ofRelation ?? targets.map((target) => embeddedMode(embedded, target)).find((mode) => mode !== undefined)
}

function embeddedMode(embedded: ColumnMetadata["embeddedMetadata"], target: unknown): SensitiveMode | undefined {
  if (!embedded) return undefined
  const parent = embedded.parentEmbeddedMetadata
  return declaredSensitivity(parent?.type ?? target, embedded.propertyName) ?? embeddedMode(parent, target)
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
