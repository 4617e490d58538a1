import type { DataSource } from "typeorm"
import { changeEvents, type ChangeEvents } from "../../src"
import type { PostgresOptions, TestDatabase } from "../servers/test-database"

/** What another process of the same application has: its own ChangeEvents, and its own DataSource on the same database. */
export interface SecondProcess {
  readonly changes: ChangeEvents
  readonly dataSource: DataSource
  readonly logged: readonly string[]
}

/** Its DataSource goes with the database; its ChangeEvents are to be closed. */
export async function secondProcess(
  database: TestDatabase,
  options: Partial<PostgresOptions> = {},
): Promise<SecondProcess> {
  const logged: string[] = []
  const note = (line: string): void => void logged.push(line)
  const changes = changeEvents({ delivery: "outbox", logger: { warn: note, error: note } })
  const dataSource = await database.dataSource({ ...options, subscribers: [changes.subscriber] })
  return { changes, dataSource, logged }
}
