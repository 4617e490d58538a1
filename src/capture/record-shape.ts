import type { EntityMetadata } from "typeorm"
import type { CaptureOptions, EntityCaptureOptions, RowText } from "./capture-options"
import { declaredSensitivity } from "./decorators"
import type { ShownMode } from "./entity-value"
import { imageColumns, type ColumnMetadata, type ImageColumn } from "./image-column"
import { columnRules, entityOptions, entityPlace, isOwn, ownerOf } from "./tracked-entity"

export type RelationMetadata = EntityMetadata["relations"][number]

/** What of an entity a record shows, by the rules of row images. */
export interface RecordShape {
  readonly metadata: EntityMetadata
  /** `<app>.<model>`. */
  readonly objectType: string
  /** Columns of the primary key, shown or not. */
  readonly keys: readonly ImageColumn[]
  /** Columns that are properties, with the key's first. */
  readonly columns: readonly ImageColumn[]
  readonly relations: readonly ShownRelation[]
  readonly display: RowText | undefined
  readonly url: RowText | undefined
}

export interface ShownRelation {
  readonly metadata: RelationMetadata
  readonly mode: ShownMode
}

export function recordShape(metadata: EntityMetadata, options: CaptureOptions): RecordShape {
  const own = entityOptions(metadata, options)
  const root = metadata.tableType === "entity-child" ? metadata.parentEntityMetadata : metadata
  const images = imageColumns(metadata, (column) => columnRules(ownerOf(column, root), options))
  const columns = images.filter(({ path, metadata: column }) => {
    return path.length > 0 && !column.isVirtual && isOwn(column, metadata)
  })
  const { app, model } = entityPlace(metadata, options)
  return {
    metadata,
    objectType: `${app}.${model}`,
    keys: images.filter(isKey),
    columns: [...columns.filter(isKey), ...columns.filter((column) => !isKey(column))],
    relations: metadata.relations.flatMap((relation) => shownRelation(relation, images, own) ?? []),
    display: own.display,
    url: own.url,
  }
}

const isKey = ({ metadata }: ImageColumn): boolean => metadata.isPrimary

/** Undefined for one that is hidden, by its own name or by that of the foreign key's column. */
export function shownRelation(
  metadata: RelationMetadata,
  images: readonly ImageColumn[],
  { ignore = [], sensitive = {} }: EntityCaptureOptions,
): ShownRelation | undefined {
  const path = metadata.propertyPath
  if (ignore.includes(path) || ignore.includes(path.split(".")[0] as string)) return undefined
  const owner = metadata.embeddedMetadata?.type ?? metadata.target
  const mode = sensitive[path] ?? declaredSensitivity(owner, metadata.propertyName)
  if (mode === "omit") return undefined
  const foreignKey = metadata.isManyToMany ? [] : metadata.joinColumns.map((column) => imageOf(column, images))
  if (foreignKey.some((image) => !image || image.path.length === 0)) return undefined
  return { metadata, mode: mode ?? foreignKey.find((image) => image?.sensitive)?.sensitive }
}

function imageOf(column: ColumnMetadata, images: readonly ImageColumn[]): ImageColumn | undefined {
  return images.find((image) => image.metadata === column)
}
