import { setTimeout as pause } from "node:timers/promises"
import { Site } from "../../../fixtures/inventory/site"
import type { ChangeEvents, EventMessage, RunningRelay } from "../../../src"
import { changeLogTables } from "../../../src/outbox/change-log-tables"
import { ensureCursors, forgetBroker } from "../../../src/relay/cursor-registry"
import { CursorStore, type ClaimedCursor } from "../../../src/relay/cursor-store"
import { driverClient } from "../../../src/relay/driver-client"
import { RelayConnection } from "../../../src/relay/relay-connection"
import { startTcpProxy, type TcpProxy } from "../../servers/tcp-proxy"
import { describeOnEveryPostgres } from "../../servers/test-database"
import { outboxDatabase, type OutboxDatabase } from "../../support/outbox-database"
import { recordingBroker, type RecordingBroker } from "../../support/recording-broker"
import { secondProcess, type SecondProcess } from "../../support/second-process"

const LEASE_MS = 1_000

interface FoundCursor {
  readonly position: string
  readonly token: string
  readonly delivered: string
  readonly owner: string | null
}

describeOnEveryPostgres((version) => {
  let log: OutboxDatabase
  let others: SecondProcess[]
  let proxies: TcpProxy[]

  beforeEach(async () => {
    log = await outboxDatabase(version)
    others = []
    proxies = []
  })
  afterEach(async () => {
    for (const { changes } of others) await changes.close()
    for (const proxy of proxies) await proxy.stop()
    await log.close()
  })

  const insert = (name: string) => log.dataSource.getRepository(Site).insert({ name, slug: name })
  const rename = (slug: string, name: string) => log.dataSource.getRepository(Site).update({ slug }, { name })
  const names = (messages: readonly EventMessage[]): string[] =>
    messages.map(({ body }) => (JSON.parse(body) as { postchange: { name: string } }).postchange.name)

  async function anotherProcess(url = log.database.url): Promise<SecondProcess> {
    const other = await secondProcess(log.database, { url })
    others.push(other)
    return other
  }

  /** A process between which and the database a cable can be pulled. */
  async function farProcess(): Promise<SecondProcess & { readonly proxy: TcpProxy }> {
    const url = new URL(log.database.url)
    const proxy = await startTcpProxy(Number(url.port))
    proxies.push(proxy)
    return { ...(await anotherProcess(Object.assign(url, { port: String(proxy.port) }).href)), proxy }
  }

  it("runs no more after a close() while it was being started", async () => {
    const { changes } = await anotherProcess()
    changes.registerBroker("broker", recordingBroker())
    const starting = changes.startRelay()
    await changes.close()
    const relay = await starting

    expect(relay.status()).toMatchObject({ isListening: false, cursors: [] })
    const connections =
      "SELECT pid FROM pg_stat_activity WHERE application_name = 'change-events relay' AND datname = current_database()"
    while ((await log.observer.query<unknown[]>(connections)).length > 0) await pause(20)
  })

  it("moves, renews and lets go of nothing by a claim of before the cursors were made anew", async () => {
    const tables = changeLogTables()
    const query = (text: string, values?: unknown[]): Promise<readonly unknown[]> => log.observer.query(text, values)
    const connection = new RelayConnection({ createClient: () => driverClient(log.dataSource), timeoutMs: 10_000 })
    const [stale, other] = ["stale", "other"].map((owner) => new CursorStore(connection, tables, owner, 60_000))
    const one = { broker: "broker", shard: 0, shards: 1 }
    await ensureCursors(query, tables, { ...one, startAt: "beginning" })
    const old = (await stale?.claim(one)) as ClaimedCursor
    await query("UPDATE change_events.cursor SET lease_until = '-infinity'")
    await ensureCursors(query, tables, { ...one, shards: 2, startAt: "beginning" })
    const move = { position: old.position, delivered: 1, letters: [], error: null }
    expect([await stale?.move(old, move), await stale?.renew(old)]).toEqual([undefined, undefined])
    await forgetBroker(query, tables, "broker")
    await ensureCursors(query, tables, { ...one, startAt: "beginning" })
    const claimed = (await other?.claim(one)) as ClaimedCursor

    expect(claimed.token).toBe(old.token)
    expect([await stale?.move(old, move), await stale?.renew(old)]).toEqual([undefined, undefined])
    await stale?.release(old)
    expect(await other?.renew(claimed)).toBeDefined()
    await connection.close()
  })

  const cursor = async (): Promise<FoundCursor> => {
    const found = await log.observer.query<[FoundCursor]>(
      `SELECT concat_ws('|', done, until, last_id) AS position, lease_token AS token, delivered, lease_owner AS owner
       FROM change_events.cursor`,
    )
    return found[0]
  }

  /** How many shards each relay leads, by the database. */
  const shares = async (): Promise<readonly number[]> => {
    const found = await log.observer.query<{ shards: number }[]>(
      `SELECT count(*)::int AS shards FROM change_events.cursor
       WHERE lease_owner IS NOT NULL AND lease_until > clock_timestamp() GROUP BY lease_owner ORDER BY shards`,
    )
    return found.map(({ shards }) => shards)
  }

  async function until(isMet: () => boolean | Promise<boolean>): Promise<void> {
    while (!(await isMet())) await pause(10)
  }
  const untilShared = (wanted: readonly number[]): Promise<void> =>
    until(async () => JSON.stringify(await shares()) === JSON.stringify(wanted))

  const serve = (changes: ChangeEvents, broker: RecordingBroker, leaseMs = LEASE_MS): Promise<RunningRelay> => {
    changes.registerBroker("broker", broker)
    return changes.startRelay({ leaseMs })
  }

  /** A call that ends when the test says so, with what it says. */
  function openCall(): { readonly answer: Promise<Error | undefined>; readonly end: (error?: Error) => void } {
    let end: (error?: Error) => void = () => undefined
    const answer = new Promise<Error | undefined>((resolve) => (end = resolve))
    return { answer, end }
  }

  describe("a relay that is cut off in the middle of a call, while another takes over", () => {
    async function takeOver(answer: Promise<Error | undefined>) {
      const slow = recordingBroker({ answer: () => answer })
      const quick = recordingBroker()
      const first = await farProcess()
      const second = await anotherProcess()
      const relay = await serve(first.changes, slow)
      await insert("a")
      await rename("a", "a1")
      await insert("b")
      await slow.untilCalled(1)
      first.proxy.blackHole()
      await serve(second.changes, quick)
      await quick.untilAccepted(3)
      await second.changes.flush()
      return { slow, quick, first, relay }
    }

    it("moves nothing when its call ends, says so, and loses or disorders nothing", async () => {
      const { answer, end } = openCall()
      const { slow, quick, first, relay } = await takeOver(answer)
      const before = await cursor()
      first.proxy.resume()
      end()
      await until(() => first.logged.some((line) => line.includes("LEASE_LOST")))
      await until(() => relay.status().cursors.length === 0)

      expect(await cursor()).toEqual(before)
      expect(names(slow.accepted)).toEqual(["a"])
      expect(names(quick.accepted)).toEqual(["a", "a1", "b"])
      expect(quick.accepted[0]?.id).toBe(slow.accepted[0]?.id)
      await rename("a", "a2")
      await quick.untilAccepted(4)
      expect(slow.calls).toHaveLength(1)
    })

    it("writes no dead letter when its call ends with a refusal", async () => {
      const { answer, end } = openCall()
      const { quick, first, relay } = await takeOver(answer)
      first.proxy.resume()
      end(Object.assign(new Error("no"), { retryable: false }))
      await until(() => first.logged.some((line) => line.includes("LEASE_LOST")))
      await until(() => relay.status().cursors.length === 0)

      expect(await log.observer.query("SELECT * FROM change_events.dead_letter")).toEqual([])
      await rename("a", "a2")
      await quick.untilAccepted(4)
      expect(names(quick.accepted)).toEqual(["a", "a1", "b", "a2"])
    })
  })

  it("holds its lease for as long as a call takes, so that nobody sends the same meanwhile", async () => {
    const { answer, end } = openCall()
    const slow = recordingBroker({ answer: () => answer })
    const idle = recordingBroker()
    const [first, second] = [await anotherProcess(), await anotherProcess()]
    await serve(first.changes, slow)
    await serve(second.changes, idle)
    await insert("a")
    await slow.untilCalled(1)
    const { owner, token } = await cursor()
    await pause(2 * LEASE_MS)
    expect(await cursor()).toMatchObject({ owner, token })
    end()
    await slow.untilAccepted(1)
    await first.changes.flush()

    expect(idle.calls).toEqual([])
    expect([first.logged, second.logged]).toEqual([[], []])
  })

  it("is followed by another at once when it is stopped, without a repetition", async () => {
    const [before, after] = [recordingBroker(), recordingBroker()]
    const [first, second] = [await anotherProcess(), await anotherProcess()]
    const relay = await serve(first.changes, before, 60_000)
    await insert("a")
    await before.untilAccepted(1)
    const next = await serve(second.changes, after, 60_000)
    await second.changes.flush()
    await until(() => next.status().isListening)
    const stopped = performance.now()
    await relay.stop()
    await insert("b")
    await after.untilAccepted(1)

    expect(performance.now() - stopped).toBeLessThan(5_000)
    expect([names(before.accepted), names(after.accepted)]).toEqual([["a"], ["b"]])
  })

  it("shares a broker's shards with relays that come and go, and delivers each event once", async () => {
    // Three relays in one process, on a machine that is busy with other tests, need more time than one.
    const leaseMs = 3 * LEASE_MS
    const brokers = [recordingBroker(), recordingBroker(), recordingBroker()] as const
    const [first, second, third] = [await anotherProcess(), await anotherProcess(), await anotherProcess()]
    const start = (changes: ChangeEvents, broker: RecordingBroker): Promise<RunningRelay> => {
      changes.registerBroker("broker", broker, { shards: 6 })
      return changes.startRelay({ leaseMs })
    }
    let written = 0
    const write = async (): Promise<void> => {
      for (let n = 0; n < 12; n++) await insert(`site-${written++}`)
    }
    const relay = await start(first.changes, brokers[0])
    await untilShared([6])
    await write()
    const joined = performance.now()
    await start(second.changes, brokers[1])
    await untilShared([3, 3])
    expect(performance.now() - joined).toBeLessThan(2 * leaseMs)
    await write()
    await start(third.changes, brokers[2])
    await untilShared([2, 2, 2])
    await write()
    await relay.stop()
    await untilShared([3, 3])
    await write()
    await until(() => brokers.reduce((sum, { accepted }) => sum + accepted.length, 0) >= written)
    await Promise.all([second.changes.flush(), third.changes.flush()])

    const all = brokers.flatMap(({ accepted }) => names(accepted))
    expect(all).toHaveLength(written)
    expect(new Set(all).size).toBe(written)
    expect(brokers.every(({ accepted }) => accepted.length > 0)).toBe(true)
    expect([first.logged, second.logged, third.logged]).toEqual([[], [], []])
  })
})
