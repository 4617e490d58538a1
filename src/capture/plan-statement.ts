import type { DataSource, ObjectLiteral, QueryBuilder, QueryRunner } from "typeorm"
import type { Capture, TrackedTable } from "./capture"
import { namesRowsByKey, type CapturedStatement, type StatementKind } from "./captured-statement"
import { findCapture } from "./find-capture"
import { refuseUpdate } from "./immutable-entities"
import { hidesRows, imageSql } from "./image-sql"
import { actionsOnKeys, newKeys } from "./new-keys"
import { canLogOnServer } from "./server-side-log"

type ExpressionMap = QueryBuilder<ObjectLiteral>["expressionMap"]

type Cascading = Pick<CapturedStatement, "actions" | "newKeys">

export interface PlannedBuilder {
  readonly dataSource: DataSource
  readonly queryRunner: QueryRunner | undefined
  readonly expressionMap: ExpressionMap
  readonly kind: "insert" | "update" | "delete"
}

/**
 * How the statement that the builder is about to execute is captured; undefined: not at all. A promise only until the server has said,
 * once for each DataSource, what may be read.
 */
export function planStatement(
  builder: PlannedBuilder,
): CapturedStatement | undefined | Promise<CapturedStatement | undefined> {
  const capture = findCapture(builder.dataSource)
  const alias = builder.expressionMap.mainAlias
  if (!capture || !alias?.hasMetadata) return undefined
  if (capture.isImmutable(alias.metadata)) refuseUpdate(builder.expressionMap, alias.metadata, capture)
  const table = capture.tableOf(alias.metadata)
  if (!table) return undefined
  const asking = capture.whenKnown(builder.queryRunner)
  // The server is asked all the same: whether it has the triggers.
  if (table.entity.byTriggers) return asking?.then(() => undefined)
  return asking ? asking.then(() => (capture.isKnown ? plan(builder, capture) : undefined)) : plan(builder, capture)
}

function plan({ expressionMap, kind }: PlannedBuilder, capture: Capture): CapturedStatement | undefined {
  const alias = expressionMap.mainAlias as NonNullable<typeof expressionMap.mainAlias>
  const table = capture.tableOf(alias.metadata)
  const { outbox } = capture.environment
  // With an outbox they are written into it from here: they came from here.
  if (!table || (!outbox && isTooLong(expressionMap, capture.maxRows))) return undefined
  // Made after the server was asked: its values could not be read, so the write is reported.
  if (table.sql.isWide && !capture.typesOf(table.entity)) return undefined
  const { onUpdate } = expressionMap
  const hidesWrite = expressionMap.commonTableExpressions.some(({ queryBuilder }) => mayWrite(queryBuilder))
  // A CTE of the user's that writes may only stand at the top, so his statement cannot be put into one of ours.
  const limited = !hidesWrite && mayChangeManyRows(expressionMap, kind, table, capture)
  const { entity, junction } = table
  const sql = hidesRows(alias.name) ? imageSql(entity, capture.serverMajor, alias.name) : table.sql
  const statementKind = kind === "insert" && onUpdate ? "upsert" : kind
  // Within a CTE of the user's that writes the text cannot be told.
  const cascading = hidesWrite ? NO_ACTIONS : cascadingActions(expressionMap, kind, table, capture)
  const staysOnServer = limited && !junction && canLogOnServer({ entity, kind: statementKind, sql })
  return {
    entity,
    junction,
    sql,
    kind: statementKind,
    limited,
    serverSide: staysOnServer ? outbox?.serverSide : undefined,
    maxRows: capture.maxRows,
    overwritesKey: overwritesKey(onUpdate, entity.metadata.primaryColumns),
    hidesWrite,
    actions: cascading.actions,
    newKeys: cascading.newKeys,
  }
}

const NO_ACTIONS: Cascading = { actions: [] }

function cascadingActions(
  { valuesSet }: ExpressionMap,
  kind: PlannedBuilder["kind"],
  { entity: { metadata } }: TrackedTable,
  capture: Capture,
): Cascading {
  if (kind === "delete") return { actions: capture.actionsOn(metadata, "onDelete") }
  const actions = kind === "update" ? capture.actionsOn(metadata, "onUpdate") : []
  if (actions.length === 0) return { actions }
  const texts = newKeys(valuesSet, actions)
  return { actions: actionsOnKeys(actions, texts), newKeys: texts }
}

/** An INSERT of more values than may come back: its images are not asked for, and it is reported as uncaptured. */
function isTooLong(expressionMap: ExpressionMap, maxRows: number): boolean {
  return Array.isArray(expressionMap.valuesSet) && expressionMap.valuesSet.length > maxRows
}

function mayChangeManyRows(
  expressionMap: ExpressionMap,
  kind: StatementKind,
  table: TrackedTable,
  capture: Capture,
): boolean {
  if (kind === "insert") return expressionMap.insertFromSelect !== undefined
  if (expressionMap.whereEntities.length > 0) return expressionMap.whereEntities.length > capture.maxRows
  return !namesRowsByKey(expressionMap.wheres, table.entity.keys, capture.maxRows)
}

function mayWrite(queryBuilder: QueryBuilder<ObjectLiteral> | string): boolean {
  return typeof queryBuilder === "string"
    ? /^[\s(]*(INSERT|UPDATE|DELETE|MERGE|WITH)\b/i.test(queryBuilder)
    : queryBuilder.expressionMap.queryType !== "select"
}

function overwritesKey(
  onUpdate: ExpressionMap["onUpdate"],
  primaryColumns: readonly { databaseName: string }[],
): boolean {
  const overwritten = onUpdate?.overwrite ?? []
  return primaryColumns.some((column) => overwritten.includes(column.databaseName))
}
