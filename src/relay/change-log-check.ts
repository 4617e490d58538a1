import { asError, ChangeEventsError } from "../errors"
import { CHANGE_LOG_VERSION, type ChangeLogTables } from "../outbox/change-log-tables"
import type { SqlQuery } from "../outbox/log-rows"

interface LogFacts {
  readonly version: number
  readonly system: string
  readonly database: string
  readonly own_database: string
  readonly is_replica: boolean
  readonly is_read_only: boolean
}

const UNDEFINED_TABLE = "42P01"
const INVALID_SCHEMA = "3F000"
const INSUFFICIENT_PRIVILEGE = "42501"

/**
 * Whether a relay may work on this log.
 *
 * @throws ChangeEventsError CHANGE_LOG_MISSING, CHANGE_LOG_VERSION, CHANGE_LOG_FOREIGN, CHANGE_LOG_READ_ONLY
 */
export async function checkChangeLog(query: SqlQuery, tables: ChangeLogTables): Promise<void> {
  const facts = await readableFacts(query, tables)
  if (facts.is_replica || facts.is_read_only) {
    const message = "the change log is on a replica, or a database that is read-only, where no cursor can be moved"
    throw new ChangeEventsError("CHANGE_LOG_READ_ONLY", message)
  }
  const system = await ownSystem(query)
  if (facts.database !== facts.own_database || (system !== undefined && system !== facts.system)) throw foreign()
}

/** Whether there is a log that may be read, on a replica too. @throws ChangeEventsError CHANGE_LOG_MISSING, CHANGE_LOG_VERSION */
export async function checkReadable(query: SqlQuery, tables: ChangeLogTables): Promise<void> {
  await readableFacts(query, tables)
}

async function readableFacts(query: SqlQuery, tables: ChangeLogTables): Promise<LogFacts> {
  const facts = await readFacts(query, tables)
  if (facts.version !== CHANGE_LOG_VERSION) throw wrongVersion(facts.version)
  return facts
}

async function readFacts(query: SqlQuery, { meta }: ChangeLogTables): Promise<LogFacts> {
  try {
    const [facts] = await query(
      `SELECT version, system_identifier AS system, database_oid::text AS database, pg_is_in_recovery() AS is_replica,
         current_setting('transaction_read_only') = 'on' AS is_read_only,
         (SELECT oid::text FROM pg_database WHERE datname = current_database()) AS own_database FROM ${meta}`,
    )
    if (!facts)
      throw new ChangeEventsError(
        "CHANGE_LOG_VERSION",
        `${meta} is empty, so nobody knows the version of the change log`,
      )
    return facts as LogFacts
  } catch (thrown) {
    const { code } = asError(thrown) as { code?: unknown }
    if (code !== UNDEFINED_TABLE && code !== INVALID_SCHEMA) throw thrown
    const message = `there is no change log (${meta}): run the migrations of \`changeLogMigrations()\` from typeorm-change-events/migrations`
    throw new ChangeEventsError("CHANGE_LOG_MISSING", message, { cause: thrown })
  }
}

/** Undefined where the role may not ask: then only the database's own identifier tells. */
async function ownSystem(query: SqlQuery): Promise<string | undefined> {
  try {
    const [row] = await query("SELECT system_identifier::text AS system FROM pg_control_system()")
    return (row as { system: string }).system
  } catch (thrown) {
    if ((asError(thrown) as { code?: unknown }).code === INSUFFICIENT_PRIVILEGE) return undefined
    throw thrown
  }
}

function wrongVersion(version: number): ChangeEventsError {
  const message = `the change log has version ${version}, this package writes and reads version ${CHANGE_LOG_VERSION}`
  return new ChangeEventsError("CHANGE_LOG_VERSION", message, { details: { version } })
}

function foreign(): ChangeEventsError {
  const message =
    "the change log was made in another database: this one is a copy of it, restored or cloned, in which the cursors mean nothing " +
    "(docs/errors.md, CHANGE_LOG_FOREIGN)"
  return new ChangeEventsError("CHANGE_LOG_FOREIGN", message)
}
