import type { EntityMetadata } from "typeorm"
import type { Capture } from "./capture"

/** Who tells of it: this package, the database's triggers, nobody but it is reported, or nobody. */
export type CoveredBy = "orm" | "triggers" | "reported" | "nobody"

/** One way in which the rows of an entity change. */
export interface PathCoverage {
  readonly path: string
  readonly by: CoveredBy
  /** Why not, and what to do about it. */
  readonly reason?: string
  readonly remedy?: string
}

export interface EntityCoverage {
  readonly entity: string
  readonly table: string
  readonly paths: readonly PathCoverage[]
}

const TRIGGERS = 'capture: "triggers" (docs/triggers.md)'
const UNWANTED = "the options leave the entity out"

/** What of each entity's changes makes events, and what does not. Ask it once the server has said what may be read. */
export function coverageOf(capture: Capture): readonly EntityCoverage[] {
  return capture.dataSource.entityMetadatas
    .filter(({ tableType }) => ["regular", "view", "closure-junction"].includes(tableType))
    .map((metadata) => ({ entity: metadata.name, table: metadata.tablePath, paths: pathsOf(metadata, capture) }))
}

function pathsOf(metadata: EntityMetadata, capture: Capture): readonly PathCoverage[] {
  const table = capture.tableOf(metadata)
  const coverage = capture.coverageOf(metadata)
  if (table?.entity.byTriggers && coverage === "unwanted") return [{ path: "every write", by: "triggers" }]
  if (coverage === "unwanted")
    return [{ path: "every write", by: "nobody", reason: UNWANTED, remedy: `the option \`${optionFor(metadata)}\`` }]
  if (coverage !== "captured") return [{ path: "every write", by: "reported", reason: coverage.uncaptured }]
  return [
    { path: "save, remove, query builders, cascades of TypeORM", by: "orm" },
    ...relationPaths(metadata, capture),
    ...foreignKeyPaths(metadata, capture),
    { path: "clear()", by: "orm" },
    {
      path: "TRUNCATE, raw SQL of this application",
      by: "reported",
      reason: "no image is known",
      remedy: TRIGGERS,
    },
    {
      path: "other programs, functions and triggers that write",
      by: "nobody",
      reason: "not in sight",
      remedy: TRIGGERS,
    },
  ]
}

function optionFor({ tableType }: EntityMetadata): string {
  return tableType === "closure-junction" ? "closures" : "entities"
}

function relationPaths({ manyToManyRelations }: EntityMetadata, capture: Capture): PathCoverage[] {
  return manyToManyRelations
    .filter(({ isOwning }) => isOwning)
    .map(({ propertyPath, junctionEntityMetadata }): PathCoverage => {
      const path = `many-to-many ${propertyPath}`
      const isTold = junctionEntityMetadata && capture.tableOf(junctionEntityMetadata)?.junction
      return isTold ? { path, by: "orm" } : { path, by: "nobody", reason: "left out", remedy: 'relations: "owner"' }
    })
}

/** What the database does to the entity's rows when others are deleted, or change their key. */
export function foreignKeyPaths(metadata: EntityMetadata, capture: Capture): PathCoverage[] {
  return metadata.foreignKeys.flatMap(({ onDelete, onUpdate, referencedEntityMetadata: parent, columnNames }) => {
    const name = `${columnNames.join(", ")} → ${parent.name}`
    const paths: PathCoverage[] = []
    if (isActing(onDelete)) paths.push(parentPath(`${name} ON DELETE ${onDelete}`, parent, capture))
    if (isActing(onUpdate)) paths.push(parentPath(`${name} ON UPDATE ${onUpdate}`, parent, capture))
    return paths
  })
}

function parentPath(path: string, parent: EntityMetadata, capture: Capture): PathCoverage {
  const table = capture.tableOf(parent)
  if (table && !table.entity.byTriggers && capture.coverageOf(parent) === "captured") return { path, by: "orm" }
  return { path, by: "nobody", reason: `${parent.name} is not captured by the ORM`, remedy: TRIGGERS }
}

function isActing(action: string | undefined): action is string {
  return action !== undefined && !["NO ACTION", "RESTRICT"].includes(action)
}
