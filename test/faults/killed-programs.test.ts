import { createTestDatabase, type TestDatabase } from "../servers/test-database"
import { FaultRun, nothingWrong, PATIENCE_MS, SCALE } from "../support/fault-run"

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
      const writer = run.application()
      const killed = run.relayAgain({ KILL_AT: step })
      await killed.ended
      expect(killed.process.signalCode).toBe("SIGKILL")
      await run.arrived(50)
      await writer.kill("SIGTERM")
      expect(await run.verdict(`relay killed ${step}`)).toMatchObject(nothingWrong)
    },
    PATIENCE_MS,
  )

  it(
    "relays killed at random lose nothing",
    async () => {
      const writer = run.application()
      for (let kills = 0; kills < 3 * SCALE; kills++) {
        const relay = run.relay()
        await run.arrived(20 + Math.random() * 40)
        await relay.kill()
      }
      run.relayAgain()
      await writer.kill("SIGTERM")
      expect(await run.verdict("relays killed at random")).toMatchObject(nothingWrong)
    },
    PATIENCE_MS,
  )

  it.each(["in-transaction", "at-commit"])(
    "an application killed %s has told what it committed, and nothing else",
    async (step) => {
      run.relayAgain()
      const killed = run.application({ KILL_AT: step })
      await killed.ended
      expect(killed.process.signalCode).toBe("SIGKILL")
      expect(await run.verdict(`application killed ${step}`)).toMatchObject(nothingWrong)
    },
    PATIENCE_MS,
  )

  it(
    "applications killed at random have told what they committed, and nothing else",
    async () => {
      run.relayAgain()
      for (let kills = 0; kills < 2 * SCALE; kills++) {
        const writers = [run.application(), run.application()]
        await run.arrived(50 + Math.random() * 50)
        await Promise.all(writers.map((writer) => writer.kill()))
      }
      const verdict = await run.verdict("applications killed at random")
      expect(verdict).toMatchObject(nothingWrong)
      expect(verdict.committed).toBeGreaterThan(50)
    },
    PATIENCE_MS,
  )

  it(
    "a relay stopped past its lease and woken again disturbs nobody",
    async () => {
      const writer = run.application()
      for (let stops = 0; stops < SCALE; stops++) {
        const first = run.relay()
        await run.arrived(20)
        first.process.kill("SIGSTOP")
        const second = run.relay()
        await run.arrived(50)
        first.process.kill("SIGCONT")
        await run.arrived(50)
        await second.kill()
        await first.kill()
      }
      run.relayAgain()
      await writer.kill("SIGTERM")
      expect(await run.verdict("a relay stopped past its lease")).toMatchObject(nothingWrong)
      expect((await run.troubles()).claims).toBeGreaterThan(1)
    },
    PATIENCE_MS,
  )

  it.each([2, 4])(
    "%i relays that share four shards and are started anew in turn lose nothing",
    async (count) => {
      const shards = { SHARDS: "4" }
      const writer = run.application()
      let relays = Array.from({ length: count }, () => run.relay(shards))
      await run.arrived(20)
      for (let rounds = 0; rounds < SCALE; rounds++) {
        const anew: typeof relays = []
        for (const relay of relays) {
          await relay.kill("SIGTERM")
          anew.push(run.relay(shards))
        }
        relays = anew
      }
      await run.arrived(50)
      await writer.kill("SIGTERM")
      expect(await run.verdict(`${count} relays started anew`)).toMatchObject(nothingWrong)
      // Each of them has had its share.
      expect((await run.troubles()).claims).toBeGreaterThan(4)
    },
    PATIENCE_MS,
  )

  it(
    "relays whose clocks are an hour apart lead as the database's clock says",
    async () => {
      const writer = run.application()
      const late = run.relay({ SKEW_MS: "3600000" })
      await run.arrived(20)
      run.relay({ SKEW_MS: "-3600000" })
      await run.arrived(50)
      await late.kill()
      await run.arrived(50)
      await writer.kill("SIGTERM")
      expect(await run.verdict("clocks an hour apart")).toMatchObject(nothingWrong)
      expect((await run.troubles()).claims).toBe(2)
    },
    PATIENCE_MS,
  )
})
