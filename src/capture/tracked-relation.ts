import type { DataSource, EntityMetadata } from "typeorm"
import type { CaptureOptions } from "./capture-options"
import { imageColumns, type ColumnMetadata, type ImageColumn } from "./image-column"
import { pointingColumn } from "./pointing-column"
import { shownRelation, type RelationMetadata } from "./record-shape"
import { entityOptions, rootOf, rulesBy, trackEntity, type TrackedEntity } from "./tracked-entity"

/** A many-to-many relation as the events of one of its two sides show it. Positions in `own` and `other` are the junction's columns. */
export interface TrackedRelation {
  /** The entity whose events show the list. */
  readonly entity: TrackedEntity
  /** Where the list stands in the record. */
  readonly path: readonly string[]
  /** Where the key of the entity's row stands, and in the entity's columns what it points to. */
  readonly own: readonly number[]
  readonly referenced: readonly number[]
  /** Where the key of the listed row stands, and how each part of it is shown. */
  readonly other: readonly number[]
  readonly shown: readonly ImageColumn[]
}

/**
 * The table of a many-to-many relation, whose rows are events of the entities that show it. Triggers capture it where they capture one of
 * these.
 */
export interface TrackedJunction {
  readonly entity: TrackedEntity
  readonly relations: readonly TrackedRelation[]
}

/** The tracked entity of a table's root, undefined for one that is not captured. */
export type EntityLookup = (root: EntityMetadata) => TrackedEntity | undefined

/** Every junction that at least one captured entity shows. One with an entity of its own is that entity's table, and not here. */
export function trackJunctions(
  dataSource: DataSource,
  options: CaptureOptions,
  entityOf: EntityLookup,
): ReadonlyMap<EntityMetadata, TrackedJunction> {
  const junctions = new Map<EntityMetadata, TrackedJunction>()
  for (const metadata of dataSource.entityMetadatas.filter(({ tableType }) => tableType === "junction")) {
    const entity = trackEntity(metadata, options, dataSource)
    const relations = sidesOf(metadata, dataSource).flatMap((relation) => {
      const owner = entityOf(rootOf(relation.entityMetadata))
      return owner && isWanted(relation, options) ? (trackRelation(relation, owner, entity, options) ?? []) : []
    })
    const byTriggers = relations.some((relation) => relation.entity.byTriggers)
    if (relations.length > 0) junctions.set(metadata, { entity: { ...entity, byTriggers }, relations })
  }
  return junctions
}

/** With single-table inheritance the root has the relations of its children, and these have the root's once more. */
function sidesOf(junction: EntityMetadata, dataSource: DataSource): RelationMetadata[] {
  const all = dataSource.entityMetadatas
    .flatMap((metadata) => metadata.manyToManyRelations)
    .filter((relation) => relation.junctionEntityMetadata === junction)
  const sideOf = (relation: RelationMetadata): string =>
    `${rootOf(relation.entityMetadata).tablePath} ${relation.propertyPath} ${relation.isOwning}`
  return [...new Map(all.reverse().map((relation) => [sideOf(relation), relation])).values()].reverse()
}

function isWanted(relation: RelationMetadata, options: CaptureOptions): boolean {
  const wanted = entityOptions(declaring(relation), options).relations ?? options.relations ?? "owner"
  return wanted === "both" || (wanted === "owner" && relation.isOwning)
}

function declaring({ entityMetadata, target }: RelationMetadata): EntityMetadata {
  return entityMetadata.childEntityMetadatas.find((child) => child.target === target) ?? entityMetadata
}

/** Undefined for one that the user hides, or whose own key is a column that no event may show. */
function trackRelation(
  relation: RelationMetadata,
  entity: TrackedEntity,
  junction: TrackedEntity,
  options: CaptureOptions,
): TrackedRelation | undefined {
  const shown = shownRelation(relation, entityOptions(declaring(relation), options), rulesBy(options))
  const { ownerColumns, inverseColumns } = junction.metadata
  const [own, other] = relation.isOwning ? [ownerColumns, inverseColumns] : [inverseColumns, ownerColumns]
  const at = (column: ColumnMetadata): number => junction.columns.findIndex((image) => image.metadata === column)
  const referenced = own.map(({ referencedColumn }) =>
    entity.columns.findIndex((image) => image.databaseName === referencedColumn?.databaseName),
  )
  if (!shown || referenced.includes(-1)) return undefined
  return {
    entity,
    path: relation.propertyPath.split("."),
    own: own.map(at),
    referenced,
    other: other.map(at),
    shown: keyColumns(other, rootOf(relation.inverseEntityMetadata), options).map((column) => ({
      ...column,
      sensitive: shown.mode ?? column.sensitive,
    })),
  }
}

function keyColumns(other: readonly ColumnMetadata[], root: EntityMetadata, options: CaptureOptions): ImageColumn[] {
  const images = imageColumns(root, rulesBy(options))
  return other.map((metadata) => pointingColumn(metadata, images, [metadata.referencedColumn?.propertyName as string]))
}
