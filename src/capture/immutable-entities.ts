import type { DataSource, EntityMetadata, ObjectLiteral, QueryBuilder } from "typeorm"
import { ChangeEventsError } from "../errors"
import type { Capture } from "./capture"
import type { CaptureOptions } from "./capture-options"
import { entityOptions, isWanted } from "./tracked-entity"

type ExpressionMap = QueryBuilder<ObjectLiteral>["expressionMap"]

export function immutableEntities(dataSource: DataSource, options: CaptureOptions): ReadonlySet<EntityMetadata> {
  return new Set(
    dataSource.entityMetadatas.filter(
      (metadata) => isWanted(metadata, options) && entityOptions(metadata, options).immutable === true,
    ),
  )
}

/**
 * Refuses, before anything is sent, a statement that would change a row of an immutable entity.
 *
 * @throws ChangeEventsError IMMUTABLE_ENTITY
 */
export function refuseUpdate(expressionMap: ExpressionMap, metadata: EntityMetadata, capture: Capture): void {
  const { options } = capture.environment
  const softDelete = entityOptions(metadata, options).softDelete ?? options.softDelete ?? "delete"
  const { queryType, onUpdate } = expressionMap
  const isSoft = queryType === "soft-delete" || queryType === "restore"
  const updates = queryType === "update" || (isSoft && softDelete === "update") || (queryType === "insert" && onUpdate)
  if (!updates) return
  const what = queryType === "insert" ? "an upsert may change a row" : `${queryType} changes rows`
  const message = `${metadata.name} is immutable, and ${what}: create a new row, and delete the old one`
  throw new ChangeEventsError("IMMUTABLE_ENTITY", message, { details: { entity: metadata.name }, retryable: false })
}
