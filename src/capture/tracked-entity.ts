import type { DataSource, EntityMetadata } from "typeorm"
import type { ChangeAction } from "../events/change-event"
import { changeTopic } from "../events/topic"
import type { CaptureOptions, EntityCaptureOptions } from "./capture-options"
import type { RowKey } from "./captured-statement"
import { declaredCapture } from "./decorators"
import { entityTransitions, type Transition } from "./transitions"
import type { ColumnRules, RulesOf } from "./column-mode"
import { imageColumns, type ColumnMetadata, type ImageColumn } from "./image-column"

/** A table whose changes become events, with all that its statements and images need, worked out once. */
export interface TrackedEntity {
  /** The entity that owns the table: the root, with single-table inheritance. */
  readonly metadata: EntityMetadata
  /** Whether triggers of the database tell of its changes, and statements here do not. */
  readonly byTriggers: boolean
  /** Escaped and with its schema, as TypeORM writes it in its statements. */
  readonly tableName: string
  readonly columns: readonly ImageColumn[]
  /** Relations shown as an object, because the key they point to has several columns. */
  readonly compositeRelations: readonly string[]
  /** What identifies one row: the primary key and the unique constraints. */
  readonly keys: readonly RowKey[]
  /** Positions in `columns`. */
  readonly primary: readonly number[]
  /** Position of the delete-date column where soft-remove is a `delete`; -1: there is none. */
  readonly deleteDate: number
  readonly discriminator: number
  /** Updates with a name of their own. */
  readonly transitions: readonly Transition[]
  /** By discriminator value; "" where there is no inheritance. */
  readonly variants: ReadonlyMap<string, EntityVariant>
}

/** What a row of the table is to its consumers. */
export interface EntityVariant {
  /** Whether the user wants events of it: of a table with inheritance he may want some entities only. */
  readonly isWanted: boolean
  readonly prefix: string | undefined
  readonly app: string
  readonly model: string
  readonly topics: Readonly<Record<ChangeAction, string>>
  /** Positions of the columns that belong to this entity: a child's columns stay null in its siblings' rows. */
  readonly columns: readonly number[]
  /** Property names that are no difference by themselves. */
  readonly ignored: ReadonlySet<string>
}

export function trackEntity(metadata: EntityMetadata, options: CaptureOptions, dataSource: DataSource): TrackedEntity {
  const own = entityOptions(metadata, options)
  const columns = imageColumns(metadata, rulesBy(options))
  const position = (column: unknown): number => columns.findIndex((image) => image.metadata === column)
  const softDelete = own.softDelete ?? options.softDelete ?? "delete"
  return {
    metadata,
    byTriggers: isByTriggers(metadata, options),
    tableName: escapedPath(metadata, dataSource),
    columns,
    compositeRelations: metadata.relationsWithJoinColumns
      .filter((relation) => relation.joinColumns.length > 1)
      .map((relation) => relation.propertyName),
    keys: rowKeys(metadata),
    primary: metadata.primaryColumns.map(position),
    deleteDate: softDelete === "delete" ? position(metadata.deleteDateColumn) : -1,
    discriminator: position(metadata.discriminatorColumn),
    transitions: entityTransitions(columns, own.transitions),
    variants: new Map(variantsOf(metadata).map((variant) => [key(variant), entityVariant(variant, columns, options)])),
  }
}

/** What the options say of a column, of whichever entity. */
export function rulesBy(options: CaptureOptions): RulesOf {
  return (column) => columnRules(declaringEntity(column), options)
}

/** With single-table inheritance a child, or the root. */
function declaringEntity({ entityMetadata, target }: ColumnMetadata): EntityMetadata {
  const root = rootOf(entityMetadata)
  return root.childEntityMetadatas.find((child) => child.target === target) ?? root
}

/** The entity that owns the table. */
export function rootOf(metadata: EntityMetadata): EntityMetadata {
  return metadata.tableType === "entity-child" ? metadata.parentEntityMetadata : metadata
}

/** What a table's entity says is sensitive is so for all entities of the table. */
function columnRules(metadata: EntityMetadata, options: CaptureOptions): ColumnRules {
  const root = rootOf(metadata)
  const all = [root, ...root.childEntityMetadatas].map((each) => entityOptions(each, options).sensitive ?? {})
  return { ignore: new Set(entityOptions(metadata, options).ignore), sensitive: Object.assign({}, ...all) }
}

/** What decorators and options say of the entity; an option before a decorator. */
export function entityOptions(metadata: EntityMetadata, options: CaptureOptions): EntityCaptureOptions {
  const listed = options.entities?.find((entry) => namesEntity(entry, metadata))
  const own = typeof listed === "object" && "entity" in listed ? listed : {}
  return { ...declaredCapture(metadata.target), ...own }
}

/** Where the entity belongs, and what it is called there. */
export function entityPlace(
  metadata: EntityMetadata,
  options: CaptureOptions,
): { readonly app: string; readonly model: string } {
  const own = entityOptions(metadata, options)
  return { app: own.app ?? appOf(metadata, options.app), model: (own.model ?? metadata.name).toLowerCase() }
}

/** What the change log calls the table's entity. A closure table has no name but its own, and there may be one like it in each schema. */
export function loggedName({ name, tablePath, tableType }: EntityMetadata): string {
  return tableType === "closure-junction" ? tablePath : name
}

/** Whether the user wants events of this entity. */
export function isWanted(metadata: EntityMetadata, options: CaptureOptions): boolean {
  const listed = !options.entities || options.entities.some((entry) => namesEntity(entry, metadata))
  return listed && entityOptions(metadata, options).enabled !== false
}

/** Whether he wants events of the entity, or of a child in the same table. */
export function isTableWanted(metadata: EntityMetadata, options: CaptureOptions): boolean {
  return [metadata, ...metadata.childEntityMetadatas].some((each) => isWanted(each, options))
}

/** Whether triggers capture the table: what one entity of a table with inheritance says holds for all that are wanted of it. */
export function isByTriggers(root: EntityMetadata, options: CaptureOptions): boolean {
  return [root, ...root.childEntityMetadatas].some(
    (metadata) =>
      isWanted(metadata, options) && (entityOptions(metadata, options).capture ?? options.capture) === "triggers",
  )
}

type EntityEntry = NonNullable<CaptureOptions["entities"]>[number]

/** Whether an entry of the option `entities` means this entity. */
export function namesEntity(entry: EntityEntry, metadata: EntityMetadata): boolean {
  const reference = typeof entry === "object" && "entity" in entry ? entry.entity : entry
  if (typeof reference === "object") return reference.options.name === metadata.name
  return reference === metadata.target || reference === metadata.name
}

function variantsOf(metadata: EntityMetadata): EntityMetadata[] {
  return [metadata, ...metadata.childEntityMetadatas.filter((child) => child.tableType === "entity-child")]
}

const key = (metadata: EntityMetadata): string => metadata.discriminatorValue ?? ""

function entityVariant(
  metadata: EntityMetadata,
  columns: readonly ImageColumn[],
  options: CaptureOptions,
): EntityVariant {
  const properties = new Set(
    metadata.columns.filter((column) => isOwn(column, metadata)).map(({ databaseName }) => databaseName),
  )
  const { app, model } = entityPlace(metadata, options)
  const topic = (action: ChangeAction): string => changeTopic({ prefix: options.topicPrefix, action, app, model })
  return {
    isWanted: isWanted(metadata, options),
    prefix: options.topicPrefix,
    app,
    model,
    topics: { create: topic("create"), update: topic("update"), delete: topic("delete") },
    columns: columns.flatMap((column, index) => (properties.has(column.databaseName) ? [index] : [])),
    ignored: new Set(
      columns.flatMap((column) => (column.countsAsDifference || column.path.length !== 1 ? [] : column.path)),
    ),
  }
}

/** Whether the column is the entity's own: with single-table inheritance a root has its children's columns, and a child its siblings' foreign keys. */
export function isOwn(column: ColumnMetadata, metadata: EntityMetadata): boolean {
  if (metadata.childEntityMetadatas.some((child) => child.target === column.target)) return false
  const relation = column.isVirtual ? column.relationMetadata : undefined
  return !relation || metadata.findRelationWithPropertyPath(relation.propertyPath) !== undefined
}

function appOf(metadata: EntityMetadata, app: CaptureOptions["app"]): string {
  return (typeof app === "function" ? app(metadata) : app) ?? metadata.schema ?? "app"
}

function rowKeys(metadata: EntityMetadata): RowKey[] {
  const unique = metadata.indices.filter((index) => index.isUnique && !index.where)
  return [metadata.primaryColumns, ...[...metadata.uniques, ...unique].map((constraint) => constraint.columns)]
    .filter((columns) => columns.length > 0)
    .map((columns) => columns.map((column) => column.propertyPath))
}

function escapedPath(metadata: EntityMetadata, dataSource: DataSource): string {
  return metadata.tablePath
    .split(".")
    .map((part) => dataSource.driver.escape(part))
    .join(".")
}
