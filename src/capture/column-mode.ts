import type { EntityMetadata } from "typeorm"
import { sensitiveModes, type SensitiveMode } from "./capture-options"
import { declaredSensitivity } from "./decorators"

type ColumnMetadata = EntityMetadata["columns"][number]

export interface ColumnRules {
  /** Property paths that `ignore` names. */
  readonly ignore: ReadonlySet<string>
  /** Modes given by option, for entities without a class. */
  readonly sensitive: Readonly<Record<string, SensitiveMode>>
}

/** The rules of the entity that declares the column. */
export type RulesOf = (column: ColumnMetadata) => ColumnRules

/** How the column is hidden: as it says itself, else, if it is a foreign key, as what it points to. Undefined: it is shown. */
export function columnMode(column: ColumnMetadata, rulesOf: RulesOf): SensitiveMode | undefined {
  return effectiveMode(column, rulesOf, new Set())
}

/** What is said of the column itself, of its relation, or of an embedded one that it stands in. An option goes before a decorator. */
export function ownMode(column: ColumnMetadata, rules: ColumnRules): SensitiveMode | undefined {
  return column.isSelect ? (givenMode(column, rules) ?? declaredMode(column)) : "omit"
}

/** `seen`: two tables may point to one another by their keys. */
function effectiveMode(
  column: ColumnMetadata,
  rulesOf: RulesOf,
  seen: ReadonlySet<ColumnMetadata>,
): SensitiveMode | undefined {
  if (seen.has(column)) return undefined
  const own = ownMode(column, rulesOf(column))
  if (own) return own
  const further = new Set([...seen, column])
  const modes = pointedTo(column).map((target) => effectiveMode(target, rulesOf, further))
  return sensitiveModes.find((mode) => modes.includes(mode))
}

/**
 * Several where foreign keys share a column. The rows of junctions and closure tables are not shown as they are: who shows the keys in
 * them hides these. With single-table inheritance only the root's columns know where they point.
 */
function pointedTo(column: ColumnMetadata): ColumnMetadata[] {
  const { entityMetadata, databaseName } = column
  if (["junction", "closure-junction"].includes(entityMetadata.tableType)) return []
  const root = entityMetadata.tableType === "entity-child" ? entityMetadata.parentEntityMetadata : entityMetadata
  const twins = [column, ...root.columns.filter((each) => each.databaseName === databaseName)]
  const byForeignKeys = root.foreignKeys.flatMap(({ columns, referencedColumns }) =>
    columns.flatMap((each, index) => (each.databaseName === databaseName ? (referencedColumns[index] ?? []) : [])),
  )
  return [...new Set([...twins.flatMap(({ referencedColumn }) => referencedColumn ?? []), ...byForeignKeys])]
}

function givenMode(column: ColumnMetadata, { sensitive }: ColumnRules): SensitiveMode | undefined {
  const ofRelation = column.relationMetadata ? pathsAbove(column.relationMetadata.propertyPath) : []
  const paths = column.isVirtual ? ofRelation : [...pathsAbove(column.propertyPath), ...ofRelation]
  return paths.map((path) => sensitive[path]).find((mode) => mode !== undefined)
}

/** `a.b.c`, `a.b` and `a`. */
function pathsAbove(path: string): string[] {
  const parts = path.split(".")
  return parts.map((_, index) => parts.slice(0, parts.length - index).join("."))
}

function declaredMode(column: ColumnMetadata): SensitiveMode | undefined {
  const embedded = column.embeddedMetadata
  const relation = column.relationMetadata
  const own = declaredSensitivity(embedded?.type ?? column.target, column.propertyName)
  if (own) return own
  const ofRelation =
    relation && declaredSensitivity(relation.embeddedMetadata?.type ?? relation.target, relation.propertyName)
  const { entityMetadata } = column
  const targets = [entityMetadata, ...entityMetadata.childEntityMetadatas].map((each) => each.target)
  return ofRelation ?? targets.map((target) => embeddedMode(embedded, target)).find((mode) => mode !== undefined)
}

function embeddedMode(embedded: ColumnMetadata["embeddedMetadata"], target: unknown): SensitiveMode | undefined {
  if (!embedded) return undefined
  const parent = embedded.parentEmbeddedMetadata
  return declaredSensitivity(parent?.type ?? target, embedded.propertyName) ?? embeddedMode(parent, target)
}
