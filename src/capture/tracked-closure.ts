import type { DataSource, EntityMetadata } from "typeorm"
import { changeTopic } from "../events/topic"
import type { CaptureOptions } from "./capture-options"
import { pointingColumn } from "./pointing-column"
import { entityOptions, trackEntity, type EntityVariant, type TrackedEntity } from "./tracked-entity"
import type { EntityLookup } from "./tracked-relation"

/** The closure tables of the captured trees: TypeORM keeps a row in one for each node and each of its ancestors, and for itself. */
export function trackClosures(
  dataSource: DataSource,
  options: CaptureOptions,
  entityOf: EntityLookup,
): ReadonlyMap<EntityMetadata, TrackedEntity> {
  const closures = new Map<EntityMetadata, TrackedEntity>()
  for (const metadata of dataSource.entityMetadatas.filter(({ tableType }) => tableType === "closure-junction")) {
    const tree = entityOf(treeOf(metadata))
    if (tree && isWanted(tree, options)) closures.set(metadata, trackClosure(metadata, tree, options, dataSource))
  }
  return closures
}

/** The entity whose tree the closure table is. */
export function treeOf({ parentClosureEntityMetadata: tree }: EntityMetadata): EntityMetadata {
  return tree.tableType === "entity-child" ? tree.parentEntityMetadata : tree
}

function isWanted({ metadata }: TrackedEntity, options: CaptureOptions): boolean {
  return (entityOptions(metadata, options).closures ?? options.closures ?? "events") === "events"
}

/** Beside its tree: in the same app, and captured by the same means. Its columns are no properties of any class. */
function trackClosure(
  metadata: EntityMetadata,
  tree: TrackedEntity,
  options: CaptureOptions,
  dataSource: DataSource,
): TrackedEntity {
  const plain = trackEntity(metadata, options, dataSource)
  const columns = plain.columns.map(({ metadata: own }) => pointingColumn(own, tree.columns, [own.propertyName]))
  const [place] = tree.variants.values()
  const { app, prefix } = place as EntityVariant
  const model = (entityOptions(metadata, options).model ?? metadata.name).toLowerCase()
  const topic = (action: "create" | "update" | "delete"): string => changeTopic({ prefix, action, app, model })
  const variant: EntityVariant = {
    isWanted: true,
    prefix,
    app,
    model,
    topics: { create: topic("create"), update: topic("update"), delete: topic("delete") },
    columns: columns.map((_, index) => index),
    ignored: new Set(),
  }
  return { ...plain, byTriggers: tree.byTriggers, columns, variants: new Map([["", variant]]) }
}
