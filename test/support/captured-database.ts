import type { DataSource } from "typeorm"
import {
  changeEvents,
  type ChangeAction,
  type ChangeEvents,
  type ChangeEventsOptions,
  type EventMessage,
} from "../../src"
import { memoryBroker } from "../../src/testing"
import type { PostgresVersion } from "../servers/postgres"
import { createTestDatabase, type PostgresOptions, type TestDatabase } from "../servers/test-database"
import type { Logger } from "../../src"

/** An event as a consumer of the `record` format reads it. */
export interface ReceivedEvent {
  readonly topic: string
  readonly action: ChangeAction
  readonly model: string
  readonly key: string
  readonly context: Readonly<Record<string, unknown>>
  readonly prechange: Readonly<Record<string, unknown>> | null
  readonly postchange: Readonly<Record<string, unknown>> | null
  readonly differences: {
    readonly added: Readonly<Record<string, unknown>> | null
    readonly removed: Readonly<Record<string, unknown>> | null
  }
}

/** A database of the test's own, captured. */
export interface CapturedDatabase {
  readonly database: TestDatabase
  readonly dataSource: DataSource
  readonly changes: ChangeEvents
  /** Lines that were logged, oldest first. */
  readonly logged: readonly string[]
  /** The messages since the last call, once all that was committed is delivered. */
  messages(): Promise<readonly EventMessage[]>
  /** The same, read. */
  events(): Promise<readonly ReceivedEvent[]>
  close(): Promise<void>
}

export interface CapturedDatabaseOptions {
  readonly changes?: Omit<ChangeEventsOptions, "brokers" | "logger">
  readonly dataSource?: Partial<PostgresOptions>
}

export async function captureDatabase(
  version: PostgresVersion,
  options: CapturedDatabaseOptions = {},
): Promise<CapturedDatabase> {
  const broker = memoryBroker()
  const logged: string[] = []
  const logger: Logger = { warn: (line) => void logged.push(line), error: (line) => void logged.push(line) }
  const changes = changeEvents({ ...options.changes, brokers: { memory: broker }, logger })
  const database = await createTestDatabase(version)
  const dataSource = await database.dataSource({ ...options.dataSource, subscribers: [changes.subscriber] })

  async function messages(): Promise<readonly EventMessage[]> {
    await changes.flush()
    const received = broker.messages
    broker.clear()
    return received
  }

  return {
    database,
    dataSource,
    changes,
    logged,
    messages,
    events: async () => (await messages()).map(readEvent),
    close: async () => {
      await changes.close()
      await database.drop()
    },
  }
}

function readEvent(message: EventMessage): ReceivedEvent {
  const parts = message.topic.split(".")
  const body = JSON.parse(message.body) as Omit<ReceivedEvent, "topic" | "action" | "model" | "key">
  return {
    ...body,
    topic: message.topic,
    key: message.key,
    action: parts.at(-3) as ChangeAction,
    model: parts.at(-1) as string,
  }
}
