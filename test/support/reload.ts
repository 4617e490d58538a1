import type { DataSource, EntityMetadata } from "typeorm"
import type { ColumnMetadata } from "typeorm/metadata/ColumnMetadata.js"
import { columnParsers } from "./column-parsers"
import type { RowText } from "./ground-truth"
import { jsonReady } from "./json-ready"

export type Image = Readonly<Record<string, unknown>>

/** Makes the image of a row that a reload of it by TypeORM would give, as an event shows it. */
export type Reload = (metadata: EntityMetadata, row: RowText) => Image

/**
 * The oracle for images. It knows the row's text from a trigger and nothing of how the package captures it: the driver's
 * parser and TypeORM's own hydration make the values, the rules of the `record` format make their places.
 *
 * In a single-table inheritance, the row says which entity of the table it is, whatever `metadata` says.
 */
export async function rowReload(dataSource: DataSource): Promise<Reload> {
  const parserOf = await columnParsers(dataSource)
  return (metadata, row) => {
    const entity = entityOf(metadata, row)
    const image: Record<string, unknown> = {}
    for (const column of columnsOf(entity)) {
      const text = row[column.databaseName] ?? null
      const value = text === null ? null : parserOf(entity, column.databaseName)(text)
      place(image, column, dataSource.driver.prepareHydratedValue(value, declaredColumn(column)))
    }
    return jsonReady(nullEmptyKeys(image, entity)) as Image
  }
}

function entityOf(metadata: EntityMetadata, row: RowText): EntityMetadata {
  const kind = metadata.discriminatorColumn && row[metadata.discriminatorColumn.databaseName]
  const root = metadata.tableType === "entity-child" ? metadata.parentEntityMetadata : metadata
  return root.childEntityMetadatas.find((child) => child.discriminatorValue === kind) ?? metadata
}

/** The columns that are properties of the entity, and the foreign keys behind its relations. */
function columnsOf(entity: EntityMetadata): ColumnMetadata[] {
  return entity.columns.filter(
    (column) =>
      column.isSelect &&
      !column.isVirtualProperty &&
      (!column.isVirtual || column.closureType !== undefined || isRelationOf(entity, column)) &&
      !entity.childEntityMetadatas.some((child) => child.target === column.target),
  )
}

/** TypeORM gives an entity of a single-table inheritance the foreign keys of its siblings, too. */
function isRelationOf(entity: EntityMetadata, { relationMetadata }: ColumnMetadata): boolean {
  return (
    relationMetadata !== undefined && entity.findRelationWithPropertyPath(relationMetadata.propertyPath) !== undefined
  )
}

/** TypeORM gives the foreign key behind a relation no transformer, though its value is the key of the row it points to. */
function declaredColumn(column: ColumnMetadata): ColumnMetadata {
  return column.isVirtual && column.referencedColumn ? declaredColumn(column.referencedColumn) : column
}

function place(image: Record<string, unknown>, column: ColumnMetadata, value: unknown): void {
  const path = pathOf(column)
  const last = path.pop() as string
  let target = image
  for (const name of path) target = (target[name] ??= {}) as Record<string, unknown>
  target[last] = value
}

function pathOf(column: ColumnMetadata): string[] {
  if (!column.isVirtual || !column.relationMetadata) return column.propertyPath.split(".")
  const path = column.relationMetadata.propertyPath.split(".")
  const isComposite = column.relationMetadata.joinColumns.length > 1
  return isComposite ? [...path, column.referencedColumn?.propertyName as string] : path
}

/** A relation with a composite key that points nowhere is null, not an object of nulls. */
function nullEmptyKeys(image: Record<string, unknown>, entity: EntityMetadata): Image {
  const composite = entity.relationsWithJoinColumns.filter(({ joinColumns }) => joinColumns.length > 1)
  for (const { propertyName } of composite) {
    const key = image[propertyName]
    if (typeof key === "object" && key !== null && Object.values(key).every((part) => part === null)) {
      image[propertyName] = null
    }
  }
  return image
}
