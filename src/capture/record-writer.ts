import { types } from "node:util"
import type { EntityMetadata } from "typeorm"
import { ChangeEventsError } from "../errors"
import type { ChangeRecord } from "../events/change-event"
import { MASKED } from "../runtime/masked-copy"
import type { Capture } from "./capture"
import type { RowText } from "./capture-options"
import { databaseText, entityValue, type EntityValueReader, type ShownMode } from "./entity-value"
import { columnMode } from "./column-mode"
import { keyText, type ColumnMetadata } from "./image-column"
import { recordShape, type RecordShape, type RelationMetadata, type ShownRelation } from "./record-shape"
import { rulesBy } from "./tracked-entity"

type Row = Readonly<Record<string, unknown>>

/** How far below the entity that was given a row stands: a whole row down to the first level, then what it takes to find it. */
type Depth = 0 | 1 | 2

/**
 * Writes entity instances as the images of their rows are written: property names, values as JSON holds them, without what is
 * sensitive, ignored or `select: false`. What was not loaded is left out. A relation that was loaded is the row it points to, one
 * level down; else its key. With `object_type`, and `display` and `url` where the entity's options say how.
 */
export class RecordWriter {
  private readonly reader: EntityValueReader

  constructor(
    private readonly capture: Capture,
    private readonly shapes: WeakMap<EntityMetadata, RecordShape>,
  ) {
    this.reader = { dataSource: capture.dataSource, sensitiveHashKey: capture.reader.sensitiveHashKey }
  }

  shapeOf(metadata: EntityMetadata): RecordShape {
    const known = this.shapes.get(metadata) ?? recordShape(metadata, this.capture.environment.options)
    this.shapes.set(metadata, known)
    return known
  }

  record(instance: object, metadata: EntityMetadata, depth: Depth = 0): ChangeRecord {
    const row = instance as Row
    const shape = this.shapeOf(metadata)
    const attributes = this.attributes(row, shape)
    for (const relation of shape.relations) {
      const value = this.related(row, relation, depth)
      if (value !== undefined) setAt(attributes, relation.metadata.propertyPath, value)
    }
    const key = pick(attributes, metadata)
    const described = {
      object_type: shape.objectType,
      ...(depth < 2 && this.text("display", attributes, shape)),
      ...this.text("url", attributes, shape),
    }
    return depth < 2
      ? { ...key, ...described, ...without(attributes, Object.keys(described)) }
      : { ...key, ...described }
  }

  /** The primary key's texts, as the keys of the row's changes have them; undefined when a part is missing. */
  keyTexts(instance: object, metadata: EntityMetadata): readonly string[] | undefined {
    const { dataSource, reader } = this.capture
    const texts = this.shapeOf(metadata).keys.flatMap((column) => {
      const value = column.metadata.getEntityValue(instance) as unknown
      if (value === undefined || value === null) return []
      return [keyText(databaseText(value, column.metadata, dataSource), column, reader)]
    })
    return texts.length === metadata.primaryColumns.length ? texts : undefined
  }

  private attributes(row: Row, shape: RecordShape): Record<string, unknown> {
    const attributes: Record<string, unknown> = {}
    for (const { metadata, sensitive } of shape.columns) {
      const value = metadata.getEntityValue(row) as unknown
      if (value !== undefined)
        setAt(attributes, metadata.propertyPath, entityValue(value, metadata, sensitive, this.reader))
    }
    return attributes
  }

  private related(row: Row, { metadata, mode }: ShownRelation, depth: Depth): unknown {
    const value = loaded(row, metadata)
    if (!Array.isArray(value)) return this.relatedRow(value, metadata, mode, depth)
    // A list has an item for each row, also where its key is omitted, as those of changes do.
    return value.map((item: unknown) => this.relatedRow(item, metadata, mode, depth) ?? (item ? MASKED : item))
  }

  private relatedRow(value: unknown, relation: RelationMetadata, mode: ShownMode, depth: Depth): unknown {
    if (value === undefined || value === null) return value
    const target =
      relation.joinColumns[0]?.referencedColumn ?? (relation.inverseEntityMetadata.primaryColumns[0] as ColumnMetadata)
    if (typeof value !== "object") return this.keyPart(value, target, mode)
    const metadata = metadataOf(value, this.capture) ?? relation.inverseEntityMetadata
    const isKeyOnly = mode !== undefined || depth === 2 || this.isReference(value as Row, metadata)
    return isKeyOnly
      ? this.keyOf(value as Row, relation, mode)
      : this.record(value as Row, metadata, depth === 0 ? 1 : 2)
  }

  /** Whether nothing of the row is there but its key: somebody's `{ id: 7 }`. */
  private isReference(row: Row, metadata: EntityMetadata): boolean {
    const { columns, relations } = this.shapeOf(metadata)
    const isThere = columns.some(
      (column) => !column.metadata.isPrimary && column.metadata.getEntityValue(row) !== undefined,
    )
    return !isThere && relations.every((relation) => loaded(row, relation.metadata) === undefined)
  }

  private keyOf(row: Row, relation: RelationMetadata, mode: ShownMode): unknown {
    const referenced = relation.isManyToMany
      ? []
      : relation.joinColumns.flatMap(({ referencedColumn }) => referencedColumn ?? [])
    const isThere = referenced.length > 0 && referenced.every((column) => column.getEntityValue(row) !== undefined)
    const columns = isThere ? referenced : relation.inverseEntityMetadata.primaryColumns
    const parts = columns.map((column): [string, unknown] => {
      const value = column.getEntityValue(row) as unknown
      return [column.propertyName, value === undefined ? null : this.keyPart(value, column, mode)]
    })
    return parts.length === 1 ? parts[0]?.[1] : Object.fromEntries(parts)
  }

  /** As the relation says, else as the row that has this key shows it; undefined for what that one omits. */
  private keyPart(value: unknown, column: ColumnMetadata, ofRelation: ShownMode): unknown {
    const mode = ofRelation ?? columnMode(column, rulesBy(this.capture.environment.options))
    return mode === "omit" ? undefined : entityValue(value, column, mode, this.reader)
  }

  /** A function of the user's that fails is reported, and its text left out: the sign-in that it describes has happened. */
  private text(
    name: "display" | "url",
    attributes: ChangeRecord,
    shape: RecordShape,
  ): Record<string, string> | undefined {
    const make: RowText | undefined = shape[name]
    if (!make) return undefined
    try {
      const text: unknown = make(attributes)
      if (typeof text === "string") return { [name]: text }
      throw new TypeError(`it gave a ${typeof text}, not a text`)
    } catch (cause) {
      const message = `\`${name}\` of ${shape.objectType} failed; its events are without`
      const details = { about: `${name} of ${shape.objectType}` }
      this.capture.environment.report(new ChangeEventsError("EVENT_UNSERIALIZABLE", message, { cause, details }))
      return undefined
    }
  }
}

/** What the relation holds; a lazy one only what was loaded. Undefined: nothing was loaded. */
function loaded(row: Row, relation: RelationMetadata): unknown {
  const owner = (relation.embeddedMetadata?.parentPropertyNames ?? []).reduce<unknown>(
    (at, name) => (at as Row | null | undefined)?.[name],
    row,
  )
  if (owner === undefined || owner === null) return undefined
  const value = relation.getEntityValue(row) as unknown
  return types.isPromise(value) ? undefined : value
}

function pick(attributes: Row, metadata: EntityMetadata): Row {
  const names = metadata.primaryColumns.map((column) => column.propertyPath.split(".")[0] as string)
  return Object.fromEntries(names.filter((name) => name in attributes).map((name) => [name, attributes[name]]))
}

function without(attributes: Row, names: readonly string[]): Row {
  return Object.fromEntries(Object.entries(attributes).filter(([name]) => !names.includes(name)))
}

function setAt(record: Record<string, unknown>, propertyPath: string, value: unknown): void {
  const names = propertyPath.split(".")
  let at = record
  for (const name of names.slice(0, -1)) at = (at[name] ??= {}) as Record<string, unknown>
  at[names.at(-1) as string] = value
}

/** Undefined for what is no instance of an entity of that DataSource. */
export function metadataOf(instance: object, { dataSource }: Capture): EntityMetadata | undefined {
  const { constructor } = instance
  if (typeof constructor !== "function" || constructor === Object) return undefined
  return dataSource.hasMetadata(constructor) ? dataSource.getMetadata(constructor) : undefined
}
