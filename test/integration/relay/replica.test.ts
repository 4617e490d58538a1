import { DataSource } from "typeorm"
import { fixtureOptions } from "../../../fixtures/fixture-options"
import { Tag } from "../../../fixtures/inventory/tag"
import type { PostgresServer } from "../../../fixtures/postgres/postgres-server"
import { fixtureMigrations } from "../../../migrations/fixture-migrations"
import { changeEvents, type ChangeEvents } from "../../../src"
import { createChangeLog } from "../../../src/outbox/change-log-schema"
import { startDebianPostgres } from "../../servers/debian-postgres"
import { recordingBroker } from "../../support/recording-broker"

describe("a streaming replica", () => {
  const servers: PostgresServer[] = []
  const processes: { readonly changes: ChangeEvents; readonly dataSource: DataSource }[] = []

  afterEach(async () => {
    for (const { changes, dataSource } of processes.splice(0)) {
      await changes.close()
      await dataSource.destroy()
    }
    for (const server of servers.splice(0).reverse()) await server.stop()
  })

  async function server(standbyOf?: PostgresServer): Promise<PostgresServer> {
    const started = await startDebianPostgres(standbyOf && { standbyOf: standbyOf.url() })
    servers.push(started)
    return started
  }

  async function application(url: string): Promise<(typeof processes)[number]> {
    const changes = changeEvents({ delivery: "outbox" })
    const dataSource = new DataSource({ ...fixtureOptions, url, subscribers: [changes.subscriber] })
    processes.push({ changes, dataSource })
    await dataSource.initialize()
    return { changes, dataSource }
  }

  it("has no relay until it is promoted, and one then that goes on where the primary's ended", async () => {
    const primary = await server()
    const before = await new DataSource({
      ...fixtureOptions,
      url: primary.url(),
      migrations: [...fixtureMigrations],
    }).initialize()
    await before.runMigrations()
    for (const statement of createChangeLog()) await before.query(statement)
    await before.destroy()
    const first = await application(primary.url())
    const broker = recordingBroker()
    first.changes.registerBroker("broker", broker)
    const relay = await first.changes.startRelay()
    await first.dataSource.manager.insert(Tag, { name: "a" })
    await broker.untilAccepted(1)
    await relay.stop()
    await first.dataSource.manager.insert(Tag, { name: "b" })

    const standby = await server(primary)
    const second = await application(standby.url())
    second.changes.registerBroker("broker", broker)
    await expect(second.changes.startRelay()).rejects.toMatchObject({ code: "CHANGE_LOG_READ_ONLY" })
    await second.dataSource.query("SELECT pg_promote()")
    await second.changes.startRelay()
    await second.dataSource.manager.insert(Tag, { name: "c" })
    await second.changes.flush()

    const names = broker.accepted.map(({ body }) => (JSON.parse(body) as { postchange: Tag }).postchange.name)
    expect(names).toEqual(["a", "b", "c"])
  })
})
