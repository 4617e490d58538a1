import type { EntityMetadata } from "typeorm"
import type { TrackedTable } from "./capture"

type ForeignKey = EntityMetadata["foreignKeys"][number]

/** What a foreign key makes the server do to the rows that point to a deleted one. */
export interface ForeignKeyAction {
  /** Whose rows point. */
  readonly table: TrackedTable
  /** Names in the database: of the columns that point, and of those they point to. */
  readonly columns: readonly string[]
  readonly referenced: readonly string[]
  /** Whether the rows are deleted (CASCADE), and so what points to them is next; else they stay, pointing nowhere or elsewhere. */
  readonly deletes: boolean
}

const ACTIONS: readonly (string | undefined)[] = ["CASCADE", "SET NULL", "SET DEFAULT"]

/** By the entity whose rows are pointed to, for the captured tables only. */
export function foreignKeyActions(
  tables: ReadonlyMap<EntityMetadata, TrackedTable>,
): ReadonlyMap<EntityMetadata, readonly ForeignKeyAction[]> {
  const actions = new Map<EntityMetadata, ForeignKeyAction[]>()
  for (const [metadata, table] of tables) {
    // Its triggers see what foreign keys do.
    if (table.entity.byTriggers) continue
    for (const key of ownKeys(metadata)) {
      const parent = rootOf(key.referencedEntityMetadata)
      actions.set(parent, [...(actions.get(parent) ?? []), actionOf(key, table)])
    }
  }
  return actions
}

/** With single-table inheritance the children's as well, each once. */
function ownKeys(metadata: EntityMetadata): ForeignKey[] {
  const all = [metadata, ...metadata.childEntityMetadatas].flatMap(({ foreignKeys }) => foreignKeys)
  // Of a closure table with a key of several columns TypeORM names one of them.
  const whole = all.filter(({ columnNames, referencedColumnNames: names }) => columnNames.length === names.length)
  const acting = whole.filter(({ onDelete }) => ACTIONS.includes(onDelete))
  return [...new Map(acting.map((key) => [key.columnNames.join(), key])).values()]
}

function actionOf({ columnNames, referencedColumnNames, onDelete }: ForeignKey, table: TrackedTable): ForeignKeyAction {
  return { table, columns: columnNames, referenced: referencedColumnNames, deletes: onDelete === "CASCADE" }
}

function rootOf(metadata: EntityMetadata): EntityMetadata {
  return metadata.tableType === "entity-child" ? metadata.parentEntityMetadata : metadata
}
