import { setTimeout as pause } from "node:timers/promises"
import { DataSource } from "typeorm"
import { fixtureOptions } from "../../fixtures/fixture-options"
import type { PostgresServer } from "../../fixtures/postgres/postgres-server"
import { fixtureMigrations } from "../../migrations/fixture-migrations"
import { startDebianPostgres } from "../servers/debian-postgres"
import { FaultRun, nothingWrong, PATIENCE_MS, SCALE } from "../support/fault-run"

describe("with a ledger beside every change, and a consumer of the stream", () => {
  let server: PostgresServer
  let run: FaultRun

  beforeAll(async () => {
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
  afterAll(async () => {
    await run.stop()
    await server.stop()
  })

  it(
    "a Postgres that crashes and recovers, and is away for a while, loses nothing",
    async () => {
      run.relayAgain()
      const writer = run.application()
      await run.arrived(20)
      for (let crashes = 0; crashes < 2 * SCALE; crashes++) {
        await server.restart()
        await run.arrived(20)
      }
      await server.crash()
      await pause(SCALE === 1 ? 1_500 : 10_000)
      await server.startAgain()
      await run.arrived(20)
      const { failed } = JSON.parse(await writer.kill("SIGTERM")) as { failed: number }
      expect(await run.verdict("Postgres crashed")).toMatchObject(nothingWrong)
      expect(failed).toBeGreaterThan(0)
    },
    PATIENCE_MS,
  )
})
