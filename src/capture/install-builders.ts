import { DataSource, DeleteQueryBuilder, InsertQueryBuilder, QueryBuilder, UpdateQueryBuilder } from "typeorm"
import { SoftDeleteQueryBuilder } from "typeorm/query-builder/SoftDeleteQueryBuilder"
import { ChangeEventsError } from "../errors"
import { sharedSymbol } from "../runtime/shared-state"
import {
  CapturingDeleteQueryBuilder,
  CapturingInsertQueryBuilder,
  CapturingSoftDeleteQueryBuilder,
  CapturingUpdateQueryBuilder,
} from "./capturing-builders"
import { findCapture } from "./find-capture"

type Factory = (builder: QueryBuilder<never>) => unknown
type Builder = new (builder: never) => unknown

const builders: Readonly<Record<string, readonly [stock: Builder, capturing: Builder]>> = {
  UpdateQueryBuilder: [UpdateQueryBuilder as Builder, CapturingUpdateQueryBuilder as Builder],
  SoftDeleteQueryBuilder: [SoftDeleteQueryBuilder as Builder, CapturingSoftDeleteQueryBuilder as Builder],
  DeleteQueryBuilder: [DeleteQueryBuilder as Builder, CapturingDeleteQueryBuilder as Builder],
  InsertQueryBuilder: [InsertQueryBuilder as Builder, CapturingInsertQueryBuilder as Builder],
}

const INSTALLED = sharedSymbol("builders")

/** The protected methods that our builders override or rely on. */
const EXPECTED: Readonly<Record<string, readonly string[]>> = {
  UpdateQueryBuilder: ["execute", "createUpdateExpression", "createWhereExpression", "createReturningExpression"],
  SoftDeleteQueryBuilder: ["execute", "createUpdateExpression", "createWhereExpression", "createReturningExpression"],
  DeleteQueryBuilder: ["execute", "createDeleteExpression", "createReturningExpression"],
  InsertQueryBuilder: [
    "execute",
    "createInsertExpression",
    "createUpsertConditionExpression",
    "createReturningExpression",
  ],
}

/**
 * Makes TypeORM hand out capturing builders to the DataSources that have our subscriber. Every `new DataSource()` registers TypeORM's
 * own again, so the registration itself is wrapped, once a process.
 *
 * @throws ChangeEventsError TYPEORM_UNSUPPORTED when this TypeORM's builders are not the ones that ours extend.
 */
export function installCapturingBuilders(): void {
  const registry = QueryBuilder as unknown as {
    registerQueryBuilderClass(name: string, factory: Factory): void
  } & Record<symbol, unknown>
  if (registry[INSTALLED]) return
  checkBuilders()
  const register = registry.registerQueryBuilderClass.bind(registry)
  const registerCapturing = (name: string, factory: Factory): void => {
    const Capturing = builders[name]?.[1]
    register(
      name,
      Capturing ? (builder) => (isCaptured(builder) ? new Capturing(builder as never) : factory(builder)) : factory,
    )
  }
  for (const [name, [Stock]] of Object.entries(builders))
    registerCapturing(name, (builder) => new Stock(builder as never))
  registry.registerQueryBuilderClass = registerCapturing
  registry[INSTALLED] = true
}

function isCaptured(builder: QueryBuilder<never>): boolean {
  return findCapture(builder.dataSource) !== undefined
}

function checkBuilders(): void {
  const missing = Object.entries(builders).flatMap(([name, [Stock]]) =>
    (EXPECTED[name] ?? [])
      .filter((method) => typeof Stock.prototype[method] !== "function")
      .map((method) => `${name}.${method}`),
  )
  if (typeof (QueryBuilder as { registerQueryBuilderClass?: unknown }).registerQueryBuilderClass !== "function") {
    missing.push("QueryBuilder.registerQueryBuilderClass")
  }
  if (missing.length > 0) throw unsupported(`it lacks ${missing.join(", ")}`)
}

/**
 * Whether this DataSource's writes pass by our builders: not if it was made by another copy of TypeORM than the one we extend.
 *
 * @throws ChangeEventsError TYPEORM_UNSUPPORTED, or DATA_SOURCE_UNSUPPORTED for a database that is not Postgres.
 */
export function checkDataSource(dataSource: DataSource): void {
  if (!(dataSource instanceof DataSource)) {
    throw unsupported("the DataSource was made by another copy of typeorm; install one copy only (npm ls typeorm)")
  }
  if (dataSource.options.type !== "postgres") {
    const message = `changes are captured on "postgres" only, this DataSource is "${dataSource.options.type}"`
    throw new ChangeEventsError("DATA_SOURCE_UNSUPPORTED", message)
  }
}

function unsupported(reason: string): ChangeEventsError {
  return new ChangeEventsError("TYPEORM_UNSUPPORTED", `this TypeORM cannot be captured: ${reason}. Known to work: 1.1`)
}
