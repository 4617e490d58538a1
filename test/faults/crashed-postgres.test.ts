import { setTimeout as pause } from "node:timers/promises"
import { DataSource } from "typeorm"
import { fixtureOptions } from "../../fixtures/fixture-options"
import type { PostgresServer } from "../../fixtures/postgres/postgres-server"
import { fixtureMigrations } from "../../migrations/fixture-migrations"
import { startDebianPostgres } from "../servers/debian-postgres"
import { FaultRun } from "../support/fault-run"

const nothingWrong = { lost: [], phantom: [], disordered: [] }
const LONG = process.env["FAULTS"] === "long" ? 10 : 1

describe("with a ledger beside every change, and a consumer of the stream", () => {
  let server: PostgresServer
  let run: FaultRun

  beforeEach(async () => {
    server = await startDebianPostgres()
    const dataSource = await new DataSource({
      ...fixtureOptions,
      url: server.url(),
      migrations: [...fixtureMigrations],
    }).initialize()
    await dataSource.runMigrations()
    await dataSource.destroy()
    run = await FaultRun.start({ url: server.url() })
  })
  afterEach(async () => {
    await run.stop()
    await server.stop()
  })

  it(
    "a Postgres that crashes and recovers loses nothing",
    async () => {
      run.relayAgain()
      const writing = run.application(250)
      await run.arrived(20)
      await server.restart()
      await run.arrived(60)
      await server.restart()
      await writing.ended
      expect(await run.verdict("Postgres restarted")).toMatchObject(nothingWrong)
    },
    60_000 * LONG,
  )

  it(
    "a Postgres that is away for a while loses nothing",
    async () => {
      run.relayAgain()
      const writing = run.application(250)
      await run.arrived(20)
      await server.crash()
      await pause(1_000 * LONG)
      await server.startAgain()
      await writing.ended
      expect(await run.verdict("Postgres away")).toMatchObject(nothingWrong)
    },
    60_000 * LONG,
  )
})
