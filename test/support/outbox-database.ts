import type { DataSource } from "typeorm"
import { changeEvents, type ChangeEvents, type ChangeEventsOptions, type Logger, type OutgoingEvent } from "../../src"
import { readStatementRow } from "../../src/capture/statement-row"
import { findCapture } from "../../src/capture/find-capture"
import type { Capture } from "../../src/capture/capture"
import type { EventEnvelope } from "../../src/outbox/log-row"
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

interface Row {
  readonly id: string
  readonly key: string
  readonly written_at: Date
  readonly event: string | null
  readonly record: string | null
  readonly body: string | null
  readonly old_row: string | null
  readonly new_row: string | null
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
  const rows = await observer.query<Row[]>(
    `SELECT log.id, key, log.written_at, event, record, body, old_row, new_row
     FROM change_events.log LEFT JOIN change_events.statement ON statement.id = statement_id ORDER BY log.id`,
  )
  return rows.flatMap((row) => readRow(row, capture))
}

function readRow(row: Row, capture: Capture): LoggedEvent[] {
  if (row.event === null) return serverWritten(row, capture)
  const envelope = JSON.parse(row.event) as EventEnvelope
  const record = JSON.parse(row.record as string) as LoggedEvent
  if (envelope.kind === "application") return [{ ...envelope, payload: record } as unknown as LoggedEvent]
  const { prechange, postchange, differences } = record
  return [{ ...envelope, prechange, postchange, differences }]
}

function serverWritten(row: Row, capture: Capture): LoggedEvent[] {
  const { key, body, event, record } = row
  const logRow = { id: BigInt(row.id), key, writtenAt: row.written_at, event, record, body }
  const events = readStatementRow(capture, { ...logRow, oldRow: row.old_row, newRow: row.new_row }, "test")
  for (const made of events) if (made.key !== key) throw new Error(`the row's key is ${key}, its event's ${made.key}`)
  return events.map((made: OutgoingEvent) => ({ ...made }) as unknown as LoggedEvent)
}
