import type { DataSource, EntityMetadata, EntityTarget, ObjectLiteral } from "typeorm"
import { jsonReady } from "./json-ready"
import type { Image } from "./reload"

/** Every row of the entity in the order of its key, soft-deleted ones too, as a SELECT by TypeORM gives it and an event shows it. */
export async function reloadWithTypeORM(dataSource: DataSource, target: EntityTarget<ObjectLiteral>): Promise<Image[]> {
  const metadata = dataSource.getMetadata(target)
  const entities = await dataSource
    .getRepository(target)
    .find({ order: byKey(metadata), withDeleted: true, loadRelationIds: { relations: implicitRelations(metadata) } })
  return entities.map((entity) => jsonReady(unwrapLazy(entity)) as Image)
}

function byKey(metadata: EntityMetadata): Record<string, "ASC"> {
  return Object.fromEntries(metadata.primaryColumns.map(({ propertyName }) => [propertyName, "ASC"]))
}

/** The relations whose key no property of the entity shows. */
function implicitRelations(metadata: EntityMetadata): string[] {
  return metadata.relationsWithJoinColumns
    .filter(({ joinColumns }) => joinColumns.some((column) => column.isVirtual))
    .map(({ propertyPath }) => propertyPath)
}

/** A lazy relation keeps its loaded value in a property of another name, and a promise in its own. */
function unwrapLazy(entity: ObjectLiteral): ObjectLiteral {
  const entries = Object.entries(entity).map(([name, value]) => [name.replace(/^__(?!has_)(\w+)__$/, "$1"), value])
  return Object.fromEntries(entries.filter(([name]) => !/^__\w+__$/.test(name as string)))
}
