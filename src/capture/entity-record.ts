import { getMetadataArgsStorage, type DataSource, type EntityMetadata } from "typeorm"
import { ChangeEventsError } from "../errors"
import type { ChangeRecord } from "../events/change-event"
import type { Capture } from "./capture"
import type { EntityReference } from "./capture-options"
import { findCapture } from "./find-capture"
import type { RecordShape } from "./record-shape"
import { metadataOf, RecordWriter } from "./record-writer"
import { namesEntity } from "./tracked-entity"

/** An entity instance as an event shows it. */
export interface EntityRecord {
  readonly data: ChangeRecord
  /** `<app>.<model>:<primary key>`, as that of the row's changes. */
  readonly key: string
}

export interface RecordSource {
  /** What a plain object is a row of. */
  readonly entity?: EntityReference | undefined
  /** Where it comes from, as far as is known. */
  readonly dataSource?: DataSource | undefined
}

/** Entity instances as events show them. */
export class EntityRecords {
  private readonly shapes = new WeakMap<EntityMetadata, RecordShape>()

  constructor(private readonly captures: ReadonlySet<Capture>) {}

  /**
   * The record of an instance of a captured DataSource's entity; undefined for anything else.
   *
   * @throws ChangeEventsError RECORD_INVALID without a key, DATA_SOURCE_NOT_ATTACHED for other entities
   */
  of(instance: object, { entity, dataSource }: RecordSource = {}): EntityRecord | undefined {
    // A capture begins with its DataSource's first statement, or when it is asked for.
    if (dataSource) findCapture(dataSource)
    const found = this.find(instance, entity)
    if (!found) return undefined
    const writer = new RecordWriter(found.capture, this.shapes)
    const { metadata, objectType } = writer.shapeOf(found.metadata)
    const texts = writer.keyTexts(instance, metadata)
    if (!texts) throw keyless(metadata)
    return { data: writer.record(instance, metadata), key: `${objectType}:${texts.join(",")}` }
  }

  /**
   * The key of the events of the entity's row with this primary key, which is a value or an object of its properties.
   *
   * @throws ChangeEventsError RECORD_INVALID without a part of the key, DATA_SOURCE_NOT_ATTACHED
   */
  keyOf(entity: EntityReference, id: unknown): string {
    const { capture, metadata } = this.find({}, entity) as { capture: Capture; metadata: EntityMetadata }
    const [column] = metadata.primaryColumns
    const isObject = typeof id === "object" && id !== null && !(id instanceof Date)
    const instance = isObject ? id : (column?.createValueMap(id) as object)
    const writer = new RecordWriter(capture, this.shapes)
    const texts = writer.keyTexts(instance, metadata)
    if (!texts) throw keyless(metadata)
    return `${writer.shapeOf(metadata).objectType}:${texts.join(",")}`
  }

  private find(
    instance: object,
    entity: EntityReference | undefined,
  ): { capture: Capture; metadata: EntityMetadata } | undefined {
    for (const capture of this.captures) {
      const metadata = entity
        ? capture.dataSource.entityMetadatas.find((candidate) => namesEntity(entity, candidate))
        : metadataOf(instance, capture)
      if (metadata) return { capture, metadata }
    }
    if (entity || isEntity(instance.constructor)) throw unattached(entity ?? instance.constructor)
    return undefined
  }
}

function isEntity(target: unknown): boolean {
  return getMetadataArgsStorage().tables.some((table) => table.target === target)
}

function keyless(metadata: EntityMetadata): ChangeEventsError {
  const names = metadata.primaryColumns.map((column) => column.propertyPath)
  const message = `${metadata.name} was given without its key (${names.join(", ")}): save it first, or load it with its key`
  return new ChangeEventsError("RECORD_INVALID", message, { details: { missing: names } })
}

function unattached(entity: EntityReference | NewableFunction): ChangeEventsError {
  const name = typeof entity === "string" ? entity : typeof entity === "function" ? entity.name : entity.options.name
  const message = `${name} is an entity of no DataSource that has the subscriber and was used, so what of it is sensitive is not known`
  return new ChangeEventsError("DATA_SOURCE_NOT_ATTACHED", message, { details: { about: name } })
}
