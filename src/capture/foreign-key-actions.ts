import type { EntityMetadata } from "typeorm"
import type { TrackedTable } from "./capture"
import type { TrackedJunction } from "./tracked-relation"

type ForeignKey = EntityMetadata["foreignKeys"][number]
type ColumnMetadata = EntityMetadata["columns"][number]

/** What a foreign key makes the server do to the rows that point to one that is deleted, or whose key changes. */
export interface ForeignKeyAction {
  /** Whose rows point. */
  readonly table: TrackedTable
  /** Names in the database: of the columns that point, and of those they point to. */
  readonly columns: readonly string[]
  readonly referenced: readonly string[]
  readonly referencedColumns: readonly ColumnMetadata[]
  /** Whether the rows are deleted, and so what points to them is next; else they stay, pointing nowhere or elsewhere. */
  readonly deletes: boolean
  /** Whether the columns get what the others come to hold; else null, or their default. */
  readonly follows: boolean
}

export type ActionsByEntity = ReadonlyMap<EntityMetadata, readonly ForeignKeyAction[]>

/** By the entity whose rows are pointed to. */
export interface ForeignKeyActions {
  readonly onDelete: ActionsByEntity
  readonly onUpdate: ActionsByEntity
}

const ACTIONS: readonly (string | undefined)[] = ["CASCADE", "SET NULL", "SET DEFAULT"]

/** For the captured tables only. */
export function foreignKeyActions(tables: ReadonlyMap<EntityMetadata, TrackedTable>): ForeignKeyActions {
  return { onDelete: actionsOf(tables, "onDelete"), onUpdate: actionsOf(tables, "onUpdate") }
}

function actionsOf(tables: ReadonlyMap<EntityMetadata, TrackedTable>, event: keyof ForeignKeyActions): ActionsByEntity {
  const actions = new Map<EntityMetadata, ForeignKeyAction[]>()
  for (const [metadata, table] of tables) {
    // Its triggers see what foreign keys do.
    if (table.entity.byTriggers) continue
    for (const key of ownKeys(metadata).filter((each) => ACTIONS.includes(each[event]))) {
      if (event === "onUpdate" && table.junction && isOwnKey(key, table.junction)) continue
      const parent = rootOf(key.referencedEntityMetadata)
      actions.set(parent, [...(actions.get(parent) ?? []), actionOf(key, event, table)])
    }
  }
  return actions
}

/** With single-table inheritance the children's as well, each once. */
function ownKeys(metadata: EntityMetadata): ForeignKey[] {
  const all = [metadata, ...metadata.childEntityMetadatas].flatMap(({ foreignKeys }) => foreignKeys)
  // Of a closure table with a key of several columns TypeORM names one of them.
  const whole = all.filter(({ columnNames, referencedColumnNames: names }) => columnNames.length === names.length)
  return [...new Map(whole.map((key) => [key.columnNames.join(), key])).values()]
}

/** Whether the rows that list are known by it: a list is the same under another key of its owner. */
function isOwnKey({ columnNames }: ForeignKey, { entity, relations }: TrackedJunction): boolean {
  return relations.every(({ own }) =>
    own.every((index) => columnNames.includes(entity.columns[index]?.databaseName ?? "")),
  )
}

function actionOf(key: ForeignKey, event: keyof ForeignKeyActions, table: TrackedTable): ForeignKeyAction {
  const cascades = key[event] === "CASCADE"
  return {
    table,
    columns: key.columnNames,
    referenced: key.referencedColumnNames,
    referencedColumns: key.referencedColumns,
    deletes: cascades && event === "onDelete",
    follows: cascades && event === "onUpdate",
  }
}

function rootOf(metadata: EntityMetadata): EntityMetadata {
  return metadata.tableType === "entity-child" ? metadata.parentEntityMetadata : metadata
}
