import { DataSource, type DataSourceOptions } from "typeorm"
import { fixtureOptions } from "../fixtures/fixture-options"
import { Site } from "../fixtures/inventory/site"
import { fixtureMigrations } from "../migrations/fixture-migrations"
import { changeEvents, type ChangeEvents, type EventBroker } from "../src"
import { createChangeLog } from "../src/outbox/change-log-schema"
import { AuditRow, AuditSubscriber, createAuditTable } from "./audit-row"

/** The ways of writing that are compared, each with one connection of its own to the same database. */
export interface BenchSources {
  readonly bare: DataSource
  /** The same again: how far it is from 1 tells how noisy the machine is. */
  readonly control: DataSource
  readonly captured: DataSource
  /** Captures another entity only. */
  readonly untracked: DataSource
  readonly audited: DataSource
  /** Writes the change log with its transactions; no relay runs. */
  readonly logged: DataSource
  readonly changes: ChangeEvents
  close(): Promise<void>
}

/** Accepts everything at once, so that what is measured is ours and not a broker's. */
export const acceptingBroker: EventBroker = {
  publish: async () => undefined,
  publishBatch: async (messages) => messages.map(() => ({ accepted: true })),
}

/** Makes the tables first. */
export async function openSources(url: string): Promise<BenchSources> {
  const migrations = [...fixtureMigrations]
  const dataSource = await new DataSource({ ...fixtureOptions, url, migrations }).initialize()
  await dataSource.runMigrations()
  await dataSource.query(createAuditTable)
  for (const statement of createChangeLog()) await dataSource.query(statement)
  await dataSource.destroy()
  return connectSources(url)
}

/** Where the tables are already. */
export async function connectSources(url: string): Promise<BenchSources> {
  const changes = changeEvents({ brokers: { accepting: acceptingBroker } })
  const others = changeEvents({ brokers: { accepting: acceptingBroker }, entities: [Site] })
  const logging = changeEvents({ delivery: "outbox" })
  const open = (more: Partial<DataSourceOptions> = {}): Promise<DataSource> =>
    new DataSource({ ...fixtureOptions, url, poolSize: 1, ...more } as DataSourceOptions).initialize()

  const bare = await open()
  const control = await open()
  const captured = await open({ subscribers: [changes.subscriber] })
  const untracked = await open({ subscribers: [others.subscriber] })
  const audited = await open({
    entities: [...fixtureOptions.entities, AuditRow],
    subscribers: [AuditSubscriber],
  })
  const logged = await open({ subscribers: [logging.subscriber] })
  const all = [bare, control, captured, untracked, audited, logged]
  return {
    bare,
    control,
    captured,
    untracked,
    audited,
    logged,
    changes,
    close: async () => {
      await Promise.all(all.map((dataSource) => dataSource.destroy()))
      await Promise.all([changes.close(), others.close(), logging.close()])
    },
  }
}
