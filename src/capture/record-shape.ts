import type { EntityMetadata } from "typeorm"
import type { CaptureOptions, EntityCaptureOptions, RowText } from "./capture-options"
import { declaredSensitivity } from "./decorators"
import type { ShownMode } from "./entity-value"
import { ownMode, type RulesOf } from "./column-mode"
import { imageColumns, isIgnored, type ImageColumn } from "./image-column"
import { entityOptions, entityPlace, isOwn, rulesBy } from "./tracked-entity"

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
  /** Of a relation that is sensitive itself: of the other row its key alone is shown, like this. */
  readonly mode: ShownMode
}

export function recordShape(metadata: EntityMetadata, options: CaptureOptions): RecordShape {
  const own = entityOptions(metadata, options)
  const rulesOf = rulesBy(options)
  const images = imageColumns(metadata, rulesOf)
  const columns = images.filter(({ path, metadata: column }) => {
    return path.length > 0 && !column.isVirtual && isOwn(column, metadata)
  })
  const { app, model } = entityPlace(metadata, options)
  return {
    metadata,
    objectType: `${app}.${model}`,
    keys: images.filter(isKey),
    columns: [...columns.filter(isKey), ...columns.filter((column) => !isKey(column))],
    relations: metadata.relations.flatMap((relation) => shownRelation(relation, own, rulesOf) ?? []),
    display: own.display,
    url: own.url,
  }
}

const isKey = ({ metadata }: ImageColumn): boolean => metadata.isPrimary

/** Undefined for one that is hidden, by its own name or by that of the foreign key's column. */
export function shownRelation(
  metadata: RelationMetadata,
  { ignore = [], sensitive = {} }: EntityCaptureOptions,
  rulesOf: RulesOf,
): ShownRelation | undefined {
  const path = metadata.propertyPath
  if (ignore.includes(path) || ignore.includes(path.split(".")[0] as string)) return undefined
  const owner = metadata.embeddedMetadata?.type ?? metadata.target
  const foreignKey = metadata.isManyToMany ? [] : metadata.joinColumns
  if (foreignKey.some((column) => isIgnored(column, rulesOf(column)))) return undefined
  const own = sensitive[path] ?? declaredSensitivity(owner, metadata.propertyName)
  const modes = [own, ...foreignKey.map((column) => ownMode(column, rulesOf(column)))]
  if (modes.includes("omit")) return undefined
  return { metadata, mode: modes.find((mode) => mode !== undefined) as ShownMode }
}
