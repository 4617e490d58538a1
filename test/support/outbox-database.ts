import type { DataSource } from "typeorm"
import { changeEvents, type ChangeEvents, type ChangeEventsOptions, type Logger, type OutgoingEvent } from "../../src"
import { readStatementRow } from "../../src/capture/statement-row"
import { findCapture } from "../../src/capture/find-capture"
import type { Capture } from "../../src/capture/capture"
import type { EventEnvelope, LogRow } from "../../src/events/log-row"
import { changeLogTables } from "../../src/outbox/change-log-tables"
import { logKey } from "../../src/outbox/change-log-writer"
import { selectLogRows, toLogRow } from "../../src/outbox/log-rows"
import { createChangeLog } from "../../src/outbox/change-log-schema"
import type { PostgresVersion } from "../servers/postgres"
import { createTestDatabase, type PostgresOptions, type TestDatabase } from "../servers/test-database"

/** A database of the test's own whose changes go into a change log. */
export interface OutboxDatabase {
  readonly database: TestDatabase
  readonly dataSource: DataSource
  /** Sees what is committed, and is not captured. */
  readonly observer: DataSource
  readonly changes: ChangeEvents
  readonly logged: readonly string[]
  /** The committed events of the log, in the order of their ids. */
  events(): Promise<readonly LoggedEvent[]>
  close(): Promise<void>
}

export interface LoggedEvent extends Omit<EventEnvelope, "occurredAt"> {
  readonly prechange: Readonly<Record<string, unknown>> | null
  readonly postchange: Readonly<Record<string, unknown>> | null
  readonly differences: { readonly added: unknown; readonly removed: unknown }
  /** Of an application's own event. */
  readonly payload?: unknown
}

export interface OutboxDatabaseOptions {
  readonly changes?: Omit<ChangeEventsOptions, "logger" | "delivery">
  readonly dataSource?: Partial<PostgresOptions>
}

export async function outboxDatabase(
  version: PostgresVersion,
  options: OutboxDatabaseOptions = {},
): Promise<OutboxDatabase> {
  const logged: string[] = []
  const logger: Logger = { warn: (line) => void logged.push(line), error: (line) => void logged.push(line) }
  const changes = changeEvents({ ...options.changes, delivery: "outbox", logger })
  const database = await createTestDatabase(version)
  const observer = await database.dataSource()
  for (const statement of createChangeLog()) await observer.query(statement)
  const dataSource = await database.dataSource({ ...options.dataSource, subscribers: [changes.subscriber] })
  const close = async (): Promise<void> => {
    await changes.close()
    await database.drop()
  }
  const events = (): Promise<readonly LoggedEvent[]> => loggedEvents(observer, findCapture(dataSource) as Capture)
  return { database, dataSource, observer, changes, logged, events, close }
}

async function loggedEvents(observer: DataSource, capture: Capture): Promise<readonly LoggedEvent[]> {
  await capture.whenKnown(undefined)
  const rows = await observer.query<unknown[]>(`${selectLogRows(changeLogTables())} ORDER BY log.id`)
  return rows.map(toLogRow).flatMap((row) => readRow(row, capture))
}

function readRow(row: LogRow, capture: Capture): LoggedEvent[] {
  if (row.event === null) return serverWritten(row, capture)
  const envelope = JSON.parse(row.event) as EventEnvelope
  const record = JSON.parse(row.record as string) as LoggedEvent
  if (envelope.kind === "application") return [{ ...envelope, payload: record } as unknown as LoggedEvent]
  const { prechange, postchange, differences } = record
  return [{ ...envelope, prechange, postchange, differences }]
}

function serverWritten(row: LogRow, capture: Capture): LoggedEvent[] {
  const events = readStatementRow(capture, row, "test")
  for (const { key } of events)
    if (logKey(key) !== row.key) throw new Error(`the row's key is ${row.key}, its event's ${key}`)
  return events.map((made: OutgoingEvent) => ({ ...made }) as unknown as LoggedEvent)
}
