import type { DataSource } from "typeorm"
import type { ChangeEvents } from "../change-events"
import { asError, ChangeEventsError } from "../errors"
import type { ChangeLogTables } from "../outbox/change-log-tables"
import type { OutboxOptions } from "../outbox/outbox-options"
import type { SqlQuery } from "../outbox/log-rows"
import { checkChangeLog, checkReadable } from "../relay/change-log-check"
import { driverClient } from "../relay/driver-client"
import { RelayConnection } from "../relay/relay-connection"
import { subscribedChanges, type SubscribedChanges } from "../subscribed-changes"
import type { CommandOption, GivenOptions } from "./command"
import { loadDataSource } from "./load-data-source"
import { invalidCommand } from "./read-arguments"

/** What commands on a change log work with. */
export interface OpenChangeLog {
  readonly dataSource: DataSource
  readonly changes: ChangeEvents
  readonly tables: ChangeLogTables
  readonly outbox: OutboxOptions
  /** A connection beside the application's pool. */
  readonly connection: RelayConnection
  readonly query: SqlQuery
}

export const dataSourceOption: CommandOption = {
  type: "string",
  short: "d",
  value: "<file>",
  help: "TypeScript or JavaScript that exports a DataSource",
}

/** What a statement of a command may take, in milliseconds: replaying and pruning are long ones. */
const TIMEOUT_MS = 600_000

/** A sentence if the option that every command needs is missing. */
export function dataSourceFaults(given: GivenOptions): string[] {
  return given["data-source"] === undefined ? ["`--data-source` is missing: `-d ormconfig.ts`"] : []
}

/**
 * Connects to the DataSource that the option names, without its migrations and without synchronising anything, and closes it behind
 * the work.
 *
 * @throws ChangeEventsError DATA_SOURCE_NOT_LOADED, DATA_SOURCE_NOT_ATTACHED, OUTBOX_OFF, CHANGE_LOG_MISSING, CHANGE_LOG_VERSION,
 * CHANGE_LOG_FOREIGN, CHANGE_LOG_READ_ONLY
 */
export async function withChangeLog(given: GivenOptions, work: (log: OpenChangeLog) => Promise<void>): Promise<void> {
  const faults = dataSourceFaults(given)
  if (faults.length > 0) throw invalidCommand(faults)
  await withDataSource(String(given["data-source"]), async (dataSource, { changes, tables, outbox }) => {
    if (!tables) {
      const message = 'there is no change log: changeEvents() was made without delivery: "outbox"'
      throw new ChangeEventsError("OUTBOX_OFF", message)
    }
    const connection = new RelayConnection({ createClient: () => driverClient(dataSource), timeoutMs: TIMEOUT_MS })
    const query: SqlQuery = (text, values) => connection.query(text, values)
    try {
      await checkReadable(query, tables)
      await work({ dataSource, changes, tables, outbox, connection, query })
    } finally {
      await connection.close()
    }
  })
}

/** The same without a change log. @throws ChangeEventsError DATA_SOURCE_NOT_LOADED, DATA_SOURCE_NOT_ATTACHED */
export async function withDataSource(
  path: string,
  work: (dataSource: DataSource, subscribed: SubscribedChanges) => Promise<void>,
): Promise<void> {
  const dataSource = await loadDataSource(path)
  const subscribed = subscribedChanges(dataSource)
  if (!subscribed) {
    const message = `the DataSource of \`${path}\` has no subscriber of changeEvents(): put \`changes.subscriber\` into its \`subscribers\``
    throw new ChangeEventsError("DATA_SOURCE_NOT_ATTACHED", message)
  }
  await initialize(dataSource, path)
  try {
    await work(dataSource, subscribed)
  } finally {
    await subscribed.changes.close()
    await dataSource.destroy()
  }
}

/** The same for a log that must be this database's own, and writable. */
export function withOwnChangeLog(given: GivenOptions, work: (log: OpenChangeLog) => Promise<void>): Promise<void> {
  return withChangeLog(given, async (log) => {
    await checkChangeLog(log.query, log.tables)
    await work(log)
  })
}

async function initialize(dataSource: DataSource, path: string): Promise<void> {
  if (dataSource.isInitialized) return
  dataSource.setOptions({ synchronize: false, migrationsRun: false, dropSchema: false })
  await dataSource.initialize().catch((thrown: unknown) => {
    const cause = asError(thrown)
    throw new ChangeEventsError(
      "DATA_SOURCE_NOT_LOADED",
      `the DataSource of \`${path}\` cannot connect: ${cause.message}`,
      {
        cause,
      },
    )
  })
}
