import {
  DeleteQueryBuilder,
  InsertQueryBuilder,
  UpdateQueryBuilder,
  type ObjectLiteral,
  type UpdateResult,
} from "typeorm"
import { SoftDeleteQueryBuilder } from "typeorm/query-builder/SoftDeleteQueryBuilder"
import { referencedColumns } from "./cascade-reader"
import { changedRowsTexts, deletedRowsText, keyNames } from "./cascade-sql"
import { rememberStatement } from "./remembered-statements"
import {
  completeStatement,
  lockingWhere,
  markedWhere,
  returningWithImages,
  whereOf,
  type CapturedStatement,
} from "./captured-statement"
import { stashRow } from "./image-sql"
import { NO_TEXTS } from "./new-keys"
import { planStatement, type PlannedBuilder } from "./plan-statement"

// TypeORM's four writing builders, each made to execute a statement that also returns the images of the rows it changes. Only what
// `execute` sends differs: getSql(), or a builder used inside another query, gives TypeORM's own text.

/** The statement that a builder is executing. */
const executing = new WeakMap<object, CapturedStatement>()

type UpdateBuilder = new (
  ...args: ConstructorParameters<typeof UpdateQueryBuilder<ObjectLiteral>>
) => UpdateQueryBuilder<ObjectLiteral>

/** What the four have in common, written against one of them: TypeORM has no type that names it. */
function capturing(Base: UpdateBuilder, kind: PlannedBuilder["kind"]): UpdateBuilder {
  return class extends Base {
    override async execute(): Promise<UpdateResult> {
      const { dataSource, queryRunner, expressionMap } = this
      const planned = planStatement({ dataSource, queryRunner, expressionMap, kind })
      const statement = planned instanceof Promise ? await planned : planned
      if (!statement) return super.execute()
      executing.set(this, statement)
      return super.execute().finally(() => executing.delete(this))
    }

    override getQueryAndParameters(): [string, unknown[]] {
      const [text, parameters] = super.getQueryAndParameters()
      const statement = executing.get(this)
      if (!statement) return [text, parameters]
      rememberStatement(parameters, withLockingText(statement, text))
      return [completeStatement(statement, text, parameters.length), parameters]
    }

    protected override createReturningExpression(type: "insert" | "update" | "delete"): string {
      const returning = super.createReturningExpression(type)
      const statement = executing.get(this)
      if (!statement) return returning
      // With a RETURNING of the user's all his rows travel anyway, and a limit would keep them from him.
      if (returning !== "" && statement.limited)
        executing.set(this, { ...statement, limited: false, serverSide: undefined })
      return returningWithImages(statement, returning)
    }
  }
}

function withLockingText(statement: CapturedStatement, text: string): CapturedStatement {
  const { actions, maxRows, entity, kind, newKeys: texts = NO_TEXTS } = statement
  if (actions.length === 0) return statement
  const columns = [...referencedColumns(actions), ...keyNames(entity)]
  if (kind === "delete") return { ...statement, locking: [deletedRowsText(text, columns, maxRows)] }
  const update = { text, where: whereOf(text), tableName: entity.tableName }
  return { ...statement, locking: changedRowsTexts(update, columns, { texts, maxRows }) }
}

/** Before Postgres 18 an UPDATE cannot return the old row: it joins a sub-select that reads it under its lock. */
function lockingOldRows(Base: UpdateBuilder): UpdateBuilder {
  return class extends Base {
    protected override createWhereExpression(): string {
      const where = super.createWhereExpression()
      const statement = executing.get(this)
      if (!statement) return where
      const marked = markedWhere(statement, where)
      return statement.sql.hasReturningOld ? marked : lockingWhere(marked, statement.entity.tableName)
    }
  }
}

const as = (builder: unknown): UpdateBuilder => builder as UpdateBuilder

export const CapturingUpdateQueryBuilder = lockingOldRows(capturing(UpdateQueryBuilder, "update"))
export const CapturingSoftDeleteQueryBuilder = lockingOldRows(capturing(as(SoftDeleteQueryBuilder), "update"))
export const CapturingDeleteQueryBuilder = capturing(as(DeleteQueryBuilder), "delete")

type OverwriteCondition = NonNullable<
  NonNullable<InsertQueryBuilder<ObjectLiteral>["expressionMap"]["onUpdate"]>["overwriteCondition"]
>

/** With nothing to overwrite TypeORM writes DO NOTHING, which takes no condition. */
function overwritesAnything({ overwrite, columns }: { overwrite?: string[]; columns?: string[] }): boolean {
  return [...(overwrite ?? []), ...(columns ?? [])].length > 0
}

const STASHING: OverwriteCondition[number] = { type: "and", condition: "true" }

/** Before Postgres 18 an upsert keeps the row it overwrites in a setting, by a condition of its DO UPDATE that is always true. */
export class CapturingInsertQueryBuilder extends (capturing(as(InsertQueryBuilder), "insert") as unknown as {
  new (...args: ConstructorParameters<typeof InsertQueryBuilder<ObjectLiteral>>): InsertQueryBuilder<ObjectLiteral>
}) {
  protected override createInsertExpression(): string {
    const { onUpdate } = this.expressionMap
    const statement = executing.get(this)
    if (!onUpdate || !overwritesAnything(onUpdate) || !statement || statement.sql.hasReturningOld) {
      return super.createInsertExpression()
    }
    const conditions = onUpdate.overwriteCondition
    // TypeORM writes a WHERE only if there is a condition.
    onUpdate.overwriteCondition = [...(conditions ?? []), STASHING]
    try {
      return super.createInsertExpression()
    } finally {
      onUpdate.overwriteCondition = conditions
    }
  }

  protected override createUpsertConditionExpression(tableOrAlias: string): string {
    const { onUpdate } = this.expressionMap
    const statement = executing.get(this)
    if (!statement || !onUpdate?.overwriteCondition?.includes(STASHING)) {
      return super.createUpsertConditionExpression(tableOrAlias)
    }
    onUpdate.overwriteCondition = onUpdate.overwriteCondition.filter((clause) => clause !== STASHING)
    const condition = super.createUpsertConditionExpression(tableOrAlias)
    const stash = stashRow(statement.entity, tableOrAlias)
    // CASE, because AND does not say which side is evaluated first, and a row that is not updated must not be kept.
    return condition === "" ? stash : `CASE WHEN ${condition} THEN ${stash} ELSE false END`
  }
}
