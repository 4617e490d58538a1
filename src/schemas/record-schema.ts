import type { DataSource } from "typeorm"
import type { ImageColumn } from "../capture/image-column"
import type { EntityVariant, TrackedEntity } from "../capture/tracked-entity"
import type { TrackedRelation } from "../capture/tracked-relation"
import { columnSchema } from "./column-schema"
import { closedObject, nullable, type JsonSchema } from "./json-schema"

interface PlacedSchema {
  readonly path: readonly string[]
  readonly schema: JsonSchema
  readonly isNullable: boolean
}

/** A row of the entity as a record shows it: every attribute, and no other, so that a column kept out is seen to be out. */
export function recordProperties(
  entity: TrackedEntity,
  variant: EntityVariant,
  dataSource: DataSource,
): Readonly<Record<string, JsonSchema>> {
  const placed = variant.columns
    .map((index) => entity.columns[index] as ImageColumn)
    .filter((column) => column.path.length > 0)
    .map((column) => ({
      path: column.path,
      schema: columnSchema(shownColumn(column, entity), dataSource),
      isNullable: column.metadata.isNullable,
    }))
  return propertiesOf(placed, new Set(entity.compositeRelations))
}

/** The secret of the hash is not in the database, so triggers mask what is to be hashed. */
function shownColumn(column: ImageColumn, { byTriggers }: TrackedEntity): ImageColumn {
  return byTriggers && column.sensitive ? { ...column, sensitive: "mask" } : column
}

/** The same with the lists of many-to-many relations, which only a record has whose transaction changed them. */
export function withLists(
  properties: Readonly<Record<string, JsonSchema>>,
  relations: readonly TrackedRelation[],
  dataSource: DataSource,
): Readonly<Record<string, JsonSchema>> {
  return relations.reduce(
    (placed, relation) => place(placed, relation.path, listSchema(relation, dataSource)),
    properties,
  )
}

function listSchema({ shown }: TrackedRelation, dataSource: DataSource): JsonSchema {
  const parts = shown.map((column) => [column.path[0] as string, columnSchema(column, dataSource)] as const)
  return { type: "array", items: parts.length === 1 ? parts[0]?.[1] : closedObject(Object.fromEntries(parts)) }
}

function place(
  properties: Readonly<Record<string, JsonSchema>>,
  [name = "", ...below]: readonly string[],
  schema: JsonSchema,
): Readonly<Record<string, JsonSchema>> {
  if (below.length === 0) return { ...properties, [name]: schema }
  const parent = properties[name] ?? closedObject({})
  const inner = (parent["properties"] ?? {}) as Readonly<Record<string, JsonSchema>>
  return { ...properties, [name]: { ...parent, properties: place(inner, below, schema) } }
}

function propertiesOf(
  placed: readonly PlacedSchema[],
  compositeRelations: ReadonlySet<string>,
): Readonly<Record<string, JsonSchema>> {
  const names = new Set(placed.map(({ path }) => path[0] as string))
  return Object.fromEntries(
    [...names].map((name) => {
      const below = placed.filter(({ path }) => path[0] === name).map((each) => ({ ...each, path: each.path.slice(1) }))
      const schema = propertySchema(below)
      // A relation whose key has several columns is null when none of them holds anything.
      const mayBeNull = compositeRelations.has(name) && below.every(({ isNullable }) => isNullable)
      return [name, mayBeNull ? nullable(schema) : schema]
    }),
  )
}

function propertySchema(below: readonly PlacedSchema[]): JsonSchema {
  const [first] = below
  return first && first.path.length === 0 ? first.schema : closedObject(propertiesOf(below, new Set()))
}
