import type { DataSource, EntityMetadata } from "typeorm"
import type { ChangeAction } from "../../src"
import type { ReceivedEvent } from "./captured-database"
import type { RowChange, RowText } from "./ground-truth"
import { relationHistory, type ListChange, type RelationSide } from "./relation-history"
import { rowReload, type Image, type Reload } from "./reload"

/** What an event must say, from what the database's own triggers saw. */
export interface ExpectedChange {
  readonly action: ChangeAction
  readonly model: string
  readonly prechange: Image | null
  readonly postchange: Image | null
}

export interface ExpectedOptions {
  /** Which of the changes to give. Lists are worked out from all. Default: all. */
  readonly isMeant?: (change: RowChange) => boolean
  /** Whose lists a change of a many-to-many relation is. Default "owner". */
  readonly relations?: RelationSide
  /** Whether a change of a list is part of its row's event, if there is one, and not an update of its own. Default true. */
  readonly foldsLists?: boolean
}

/**
 * The changes that a consumer must be told of, in the order in which the rows were written. What no entity stands for is left out,
 * but for junction rows, which are updates of their owner; so is an update that differs only in its update date or version.
 */
export async function expectedChanges(
  dataSource: DataSource,
  changes: readonly RowChange[],
  { isMeant = () => true, relations = "owner", foldsLists = true }: ExpectedOptions = {},
): Promise<ExpectedChange[]> {
  const reload = await rowReload(dataSource)
  const lists = await relationHistory(dataSource, changes, relations)
  const placed = changes.flatMap((change): PlacedChange[] => {
    const metadata = entityOf(dataSource, change)
    const expected = metadata && expectedChange(change, metadata, reload)
    return metadata && expected ? [{ ...expected, change, metadata }] : []
  })
  const updates = await Promise.all(
    (foldsLists ? updatesOf(lists, placed) : listsOfLiving(lists, placed)).map((list) =>
      listUpdate(dataSource, changes, list, reload),
    ),
  )
  const told = [...(foldsLists ? placed.map((each) => withLists(each, lists, placed)) : placed), ...merged(updates)]
  return told
    .filter(({ change }) => isMeant(change))
    .sort((one, another) => one.change.id - another.change.id)
    .map(({ action, model, prechange, postchange }) => ({ action, model, prechange, postchange }))
}

interface PlacedChange extends ExpectedChange {
  readonly change: RowChange
  readonly metadata: EntityMetadata
}

function isOf({ relation, key, transactionId }: ListChange, { change, metadata }: PlacedChange): boolean {
  if (change.transactionId !== transactionId || metadata !== relation.entityMetadata) return false
  return [change.before, change.after].some(
    (row) => row && Object.entries(key).every(([column, text]) => row[column] === text),
  )
}

/** The lists of rows that no change of their own tells of. */
function updatesOf(lists: readonly ListChange[], placed: readonly PlacedChange[]): ListChange[] {
  return lists.filter((list) => !placed.some((each) => isOf(list, each)))
}

/** The lists of rows that were not deleted by the same transaction. */
function listsOfLiving(lists: readonly ListChange[], placed: readonly PlacedChange[]): ListChange[] {
  return lists.filter((list) => !placed.some((each) => each.action === "delete" && isOf(list, each)))
}

/** The lists go into the row's creation, else its deletion, else its first update; the others show them as they are by then. */
function withLists(each: PlacedChange, lists: readonly ListChange[], placed: readonly PlacedChange[]): PlacedChange {
  let { prechange, postchange } = each
  for (const list of lists.filter((candidate) => isOf(candidate, each))) {
    const own = placed.filter((other) => isOf(list, other))
    const actions = own.map(({ action }) => action)
    const target = actions.includes("create") ? actions.indexOf("create") : Math.max(actions.lastIndexOf("delete"), 0)
    const at = own.findIndex(({ change }) => change.id === each.change.id)
    const name = list.relation.propertyPath
    prechange = prechange && { ...prechange, [name]: at <= target ? list.before : list.after }
    postchange = postchange && { ...postchange, [name]: at < target ? list.before : list.after }
  }
  return { ...each, prechange, postchange }
}

async function listUpdate(
  dataSource: DataSource,
  changes: readonly RowChange[],
  list: ListChange,
  reload: Reload,
): Promise<PlacedChange> {
  const metadata = list.relation.entityMetadata
  const row = await rowAt(dataSource, changes, list)
  const image = withoutSecrets(reload(metadata, row))
  const name = list.relation.propertyPath
  return {
    action: "update",
    model: modelOf(metadata, row),
    prechange: { ...image, [name]: list.before },
    postchange: { ...image, [name]: list.after },
    change: { id: list.id, transactionId: list.transactionId, before: row } as RowChange,
    metadata,
  }
}

/** The owner's row as it was then: as the next change found it, or as it is. */
async function rowAt(dataSource: DataSource, changes: readonly RowChange[], list: ListChange): Promise<RowText> {
  const metadata = list.relation.entityMetadata
  const isOwner = (row: RowText | null): boolean =>
    row !== null && Object.entries(list.key).every(([column, text]) => row[column] === text)
  const next = changes.find(
    (change) => change.id > list.id && entityOf(dataSource, change) === metadata && isOwner(change.before),
  )
  if (next?.before) return next.before
  const table = metadata.tablePath
    .split(".")
    .map((part) => dataSource.driver.escape(part))
    .join(".")
  const rows = await dataSource.query<{ row: RowText }[]>(
    `SELECT public.hstore_to_jsonb(public.hstore(t)) AS row FROM ${table} t`,
  )
  return rows.map(({ row }) => row).find(isOwner) as RowText
}

/** One update for each row and transaction, whatever number of its lists changed. */
function merged(updates: readonly PlacedChange[]): PlacedChange[] {
  const byRow = new Map<string, PlacedChange>()
  for (const each of updates) {
    const key = JSON.stringify([each.change.transactionId, each.model, each.change.before])
    const known = byRow.get(key)
    byRow.set(key, {
      ...each,
      ...known,
      prechange: { ...known?.prechange, ...each.prechange },
      postchange: { ...known?.postchange, ...each.postchange },
    })
  }
  return [...byRow.values()]
}

/** A tree's closure rows are told as they are, though no class stands for them. */
const TOLD: readonly string[] = ["regular", "closure-junction"]

function entityOf(dataSource: DataSource, { schema, table }: RowChange): EntityMetadata | undefined {
  return dataSource.entityMetadatas.find(
    (metadata) =>
      TOLD.includes(metadata.tableType) && metadata.tableName === table && (metadata.schema ?? "public") === schema,
  )
}
function expectedChange(change: RowChange, metadata: EntityMetadata, reload: Reload): ExpectedChange | undefined {
  const before = change.before && withoutSecrets(reload(metadata, change.before))
  const after = change.after && withoutSecrets(reload(metadata, change.after))
  const action = actionOf(change, metadata)
  if (action === "update" && isUnchanged(metadata, before, after)) return undefined
  return {
    action,
    model: modelOf(metadata, (change.after ?? change.before) as RowText),
    prechange: action === "create" ? null : before,
    postchange: action === "delete" ? null : after,
  }
}

/** What the fixture domain marks with `@Sensitive()` is in no event. */
function withoutSecrets({ apiToken: _, ...image }: Image): Image {
  return image
}

function actionOf(change: RowChange, metadata: EntityMetadata): ChangeAction {
  if (change.operation === "insert") return "create"
  if (change.operation !== "update") return "delete"
  const column = metadata.deleteDateColumn?.databaseName
  if (column === undefined) return "update"
  const [was, is] = [change.before?.[column] ?? null, change.after?.[column] ?? null]
  if (was === null && is !== null) return "delete"
  return was !== null && is === null ? "create" : "update"
}

function isUnchanged(metadata: EntityMetadata, before: Image | null, after: Image | null): boolean {
  const silent = metadata.columns.filter((column) => column.isUpdateDate || column.isVersion)
  const without = (image: Image | null): string =>
    JSON.stringify({ ...image, ...Object.fromEntries(silent.map((column) => [column.propertyName, null])) })
  return without(before) === without(after)
}

function modelOf(metadata: EntityMetadata, row: RowText): string {
  const kind = metadata.discriminatorColumn && row[metadata.discriminatorColumn.databaseName]
  const child = metadata.childEntityMetadatas.find((candidate) => candidate.discriminatorValue === kind)
  return (child ?? metadata).name.toLowerCase()
}

/** The same four facts of an event that was received. */
export function toldChange({ action, model, prechange, postchange }: ReceivedEvent): ExpectedChange {
  return { action, model, prechange, postchange }
}
