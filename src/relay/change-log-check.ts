import { asError, ChangeEventsError } from "../errors"
import { CHANGE_LOG_VERSION, type ChangeLogTables } from "../outbox/change-log-tables"
import type { SqlQuery } from "../outbox/log-rows"
import { isWithoutTable } from "../runtime/servers-word"

interface LogFacts {
  readonly version: number
  readonly system: string
  readonly database: string
  readonly own_database: string
  readonly is_replica: boolean
  readonly is_read_only: boolean
}

const INVALID_SCHEMA = "3F000"
const INSUFFICIENT_PRIVILEGE = "42501"

/**
 * Whether a relay may work on this log.
 *
 * @throws ChangeEventsError CHANGE_LOG_MISSING, CHANGE_LOG_VERSION, CHANGE_LOG_DENIED, CHANGE_LOG_FOREIGN, CHANGE_LOG_READ_ONLY
 */
export async function checkChangeLog(query: SqlQuery, tables: ChangeLogTables): Promise<void> {
  const facts = await readableFacts(query, tables)
  if (facts.is_replica || facts.is_read_only) {
    const message = "the change log is on a replica, or a database that is read-only, where no cursor can be moved"
    throw new ChangeEventsError("CHANGE_LOG_READ_ONLY", message)
  }
  await checkTables(query, tables)
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
    const [facts, another] = await query(
      `SELECT version, system_identifier AS system, database_oid::text AS database, pg_is_in_recovery() AS is_replica,
         current_setting('transaction_read_only') = 'on' AS is_read_only,
         (SELECT oid::text FROM pg_database WHERE datname = current_database()) AS own_database FROM ${meta}`,
    )
    if (facts && !another) return facts as LogFacts
    const what = another ? "has several rows" : "is empty"
    throw new ChangeEventsError("CHANGE_LOG_VERSION", `${meta} ${what}, so nobody knows the version of the change log`)
  } catch (thrown) {
    const { code } = asError(thrown) as { code?: unknown }
    if (code === INSUFFICIENT_PRIVILEGE) throw denied([`SELECT on ${meta}`], thrown)
    if (!isWithoutTable(thrown) && code !== INVALID_SCHEMA) throw thrown
    throw missing(meta, thrown)
  }
}

/** What a relay does to each table. */
const NEEDED = {
  log: "SELECT, DELETE",
  statement: "SELECT, DELETE",
  cursor: "SELECT, INSERT, UPDATE, DELETE",
  deadLetter: "SELECT, INSERT, UPDATE, DELETE",
  relay: "SELECT, INSERT, UPDATE, DELETE",
  inbox: "SELECT, DELETE",
} as const satisfies Partial<Record<keyof ChangeLogTables, string>>

async function checkTables(query: SqlQuery, tables: ChangeLogTables): Promise<void> {
  const needed = Object.entries(NEEDED).flatMap(([name, privileges]) =>
    privileges.split(", ").map((privilege) => ({ name: tables[name as keyof ChangeLogTables], privilege })),
  )
  const rows = await query(
    `SELECT name, privilege, to_regclass(name) IS NULL AS gone FROM unnest($1::text[], $2::text[]) AS needed (name, privilege)
     WHERE NOT coalesce(has_table_privilege(to_regclass(name), privilege), false)`,
    [needed.map(({ name }) => name), needed.map(({ privilege }) => privilege)],
  )
  const refused = rows as readonly { name: string; privilege: string; gone: boolean }[]
  const gone = refused.find((row) => row.gone)
  if (gone) throw missing(gone.name)
  if (refused.length > 0) throw denied(refused.map(({ name, privilege }) => `${privilege} on ${name}`))
  await checkSequence(query, tables)
}

/** Without the privilege newer servers tell nothing of the sequence, as if nothing had ever been logged. */
async function checkSequence(query: SqlQuery, { log }: ChangeLogTables): Promise<void> {
  const [answer] = await query(
    `SELECT name, has_sequence_privilege(name, 'USAGE, SELECT') AS granted FROM pg_get_serial_sequence($1, 'id') AS sequence (name)`,
    [log],
  )
  const { name, granted } = answer as { name: string; granted: boolean }
  if (!granted) throw denied([`SELECT on SEQUENCE ${name}`])
}

function missing(table: string, cause?: unknown): ChangeEventsError {
  const message = `there is no change log (${table}): run the migrations of \`changeLogMigrations()\` from typeorm-change-events/migrations`
  return new ChangeEventsError("CHANGE_LOG_MISSING", message, { cause })
}

function denied(privileges: readonly string[], cause?: unknown): ChangeEventsError {
  const message = `the relay's role may not do what a relay does: it lacks ${privileges.join(", ")}`
  return new ChangeEventsError("CHANGE_LOG_DENIED", message, { cause, details: { missing: privileges } })
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
