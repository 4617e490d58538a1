import type { DataSource, EntityMetadata } from "typeorm"
import type { ChangeAction } from "../../src"
import type { ReceivedEvent } from "./captured-database"
import type { RowChange, RowText } from "./ground-truth"
import { rowReload, type Image, type Reload } from "./reload"

/** What an event must say, from what the database's own triggers saw. */
export interface ExpectedChange {
  readonly action: ChangeAction
  readonly model: string
  readonly prechange: Image | null
  readonly postchange: Image | null
}

/**
 * The changes that a consumer must be told of, in the order in which the rows were written. Junction rows and whatever else no
 * entity stands for are left out, and so is an update that differs only in its update date or version.
 */
export async function expectedChanges(
  dataSource: DataSource,
  changes: readonly RowChange[],
): Promise<ExpectedChange[]> {
  const reload = await rowReload(dataSource)
  return changes.flatMap((change) => {
    const metadata = entityOf(dataSource, change)
    return metadata ? (expectedChange(change, metadata, reload) ?? []) : []
  })
}

function entityOf(dataSource: DataSource, { schema, table }: RowChange): EntityMetadata | undefined {
  return dataSource.entityMetadatas.find(
    (metadata) =>
      metadata.tableType === "regular" && metadata.tableName === table && (metadata.schema ?? "public") === schema,
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
