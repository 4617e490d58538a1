import { findCapture } from "../../src/capture/find-capture"
import type { Capture } from "../../src/capture/capture"
import { installTriggers } from "../../src/triggers/trigger-migration"
import { triggersOf, type TriggerOptions } from "../../src/triggers/triggered-tables"
import type { PostgresVersion } from "../servers/postgres"
import { outboxDatabase, type LoggedEvent, type OutboxDatabase, type OutboxDatabaseOptions } from "./outbox-database"

/** An outbox database with the triggers that its options ask for. */
export async function triggeredDatabase(
  version: PostgresVersion,
  options: OutboxDatabaseOptions,
): Promise<OutboxDatabase> {
  const outbox = await outboxDatabase(version, options)
  await installedTriggers(outbox)
  return outbox
}

/** Makes them where the tables had to be made first. */
export async function installedTriggers({ dataSource, observer }: OutboxDatabase): Promise<void> {
  const options: TriggerOptions = (findCapture(dataSource) as Capture).environment.options
  await observer.query(installTriggers(triggersOf(dataSource, options)))
}

export async function emptyLog({ observer }: OutboxDatabase): Promise<void> {
  await observer.query("TRUNCATE change_events.log, change_events.statement")
}

/** What happened, in one line: `update device 1 {"name":"a"} → {"name":"b"}`. */
export function toldLine({ action, model, key, differences }: LoggedEvent): string {
  const id = key.slice(key.indexOf(":") + 1)
  if (action !== "update") return `${action} ${model} ${id}`
  return `${action} ${model} ${id} ${JSON.stringify(differences.removed)} → ${JSON.stringify(differences.added)}`
}
