import { createTestDatabase, type TestDatabase } from "../servers/test-database"
import { FaultRun } from "../support/fault-run"

const nothingWrong = { lost: [], phantom: [], disordered: [] }
const LONG = process.env["FAULTS"] === "long" ? 10 : 1

describe("with a ledger beside every change, and a consumer of the stream", () => {
  let database: TestDatabase
  let run: FaultRun

  beforeEach(async () => {
    database = await createTestDatabase(18)
    run = await FaultRun.start({ url: database.url })
  })
  afterEach(async () => {
    await run.stop()
    await database.drop()
  })

  it.each(["after-read", "after-send", "before-move", "after-move-sent"])(
    "a relay killed %s loses nothing",
    async (step) => {
      const writing = run.application()
      const killed = run.relayAgain({ KILL_AT: step })
      await Promise.all([writing.ended, killed.ended])
      expect(killed.process.signalCode).toBe("SIGKILL")
      expect(await run.verdict(`relay killed ${step}`)).toMatchObject(nothingWrong)
    },
    60_000 * LONG,
  )

  it(
    "relays killed at random lose nothing",
    async () => {
      const writing = run.application(300)
      for (let arrived = 20, kills = 0; kills < 3; kills++, arrived += 60) {
        const relay = run.relay()
        await run.arrived(arrived)
        await relay.kill()
      }
      run.relayAgain()
      await writing.ended
      expect(await run.verdict("relays killed at random")).toMatchObject(nothingWrong)
    },
    60_000 * LONG,
  )

  it.each(["in-transaction", "at-commit"])(
    "an application killed %s has told what it committed, and nothing else",
    async (step) => {
      run.relayAgain()
      const killed = run.application(150, { KILL_AT: step })
      await killed.ended
      expect(killed.process.signalCode).toBe("SIGKILL")
      await run.application(50).ended
      const verdict = await run.verdict(`application killed ${step}`)
      expect(verdict).toMatchObject(nothingWrong)
      expect(verdict.committed).toBeGreaterThan(50)
    },
    60_000 * LONG,
  )

  it(
    "a relay stopped past its lease and woken again disturbs nobody",
    async () => {
      const first = run.relay()
      const writing = run.application(300)
      await run.arrived(20)
      first.process.kill("SIGSTOP")
      const before = run.arrivedCount
      run.relay()
      await run.arrived(before + 50)
      first.process.kill("SIGCONT")
      await writing.ended
      expect(await run.verdict("a relay stopped past its lease")).toMatchObject(nothingWrong)
    },
    60_000 * LONG,
  )

  it(
    "four relays that share four shards and are started anew in turn lose nothing",
    async () => {
      const shards = { SHARDS: "4" }
      const relays = [1, 2, 3, 4].map(() => run.relay(shards))
      const writing = run.application(300)
      await run.arrived(20)
      for (const relay of relays) {
        await relay.kill("SIGTERM")
        run.relay(shards)
      }
      await writing.ended
      expect(await run.verdict("four relays started anew")).toMatchObject(nothingWrong)
    },
    60_000 * LONG,
  )

  it(
    "relays whose clocks are an hour apart lead as the database's clock says",
    async () => {
      const late = run.relay({ SKEW_MS: "3600000" })
      const writing = run.application(200)
      await run.arrived(20)
      run.relay({ SKEW_MS: "-3600000" })
      await run.arrived(60)
      await late.kill()
      await writing.ended
      expect(await run.verdict("clocks an hour apart")).toMatchObject(nothingWrong)
    },
    60_000 * LONG,
  )
})
