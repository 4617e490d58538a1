import { Redis } from "ioredis"
import { setTimeout as pause } from "node:timers/promises"
import { startTcpProxy, type TcpProxy } from "../servers/tcp-proxy"
import { createTestDatabase, type TestDatabase } from "../servers/test-database"
import { FaultRun, nothingWrong, PATIENCE_MS, SCALE } from "../support/fault-run"

/** How long a transaction is held open. */
const OPEN_SECONDS = SCALE === 1 ? 2 : 180

/** What the application's transactions came to. */
interface Counts {
  readonly committed: number
  readonly takenBack: number
  readonly failed: number
}

describe("with a ledger beside every change, and a consumer of the stream", () => {
  let database: TestDatabase
  let run: FaultRun
  const proxies: TcpProxy[] = []

  beforeEach(async () => void (database = await createTestDatabase(18)))
  afterEach(async () => {
    await run.stop()
    for (const proxy of proxies.splice(0)) await proxy.stop()
    await database.drop()
  })

  async function proxyTo(port: number): Promise<TcpProxy> {
    const proxy = await startTcpProxy(port)
    proxies.push(proxy)
    return proxy
  }

  /** The fault begins when events arrive, and ends, with events that arrive again, before the writing does. */
  async function during(fault: () => Promise<void>): Promise<Counts> {
    run.relayAgain()
    const writer = run.application()
    await run.arrived(20)
    await fault()
    await run.arrived(20)
    return JSON.parse(await writer.kill("SIGTERM")) as Counts
  }

  /** How long the transaction has been open that this session is idle in. */
  async function secondsOpen(pid: number): Promise<number> {
    const [row] = await run.query(
      `SELECT extract(epoch FROM clock_timestamp() - xact_start)::float AS seconds FROM pg_stat_activity
       WHERE pid = ${pid} AND state = 'idle in transaction'`,
    )
    return (row as { seconds: number }).seconds
  }

  async function onRedis(work: (client: Redis) => Promise<unknown>): Promise<void> {
    const client = new Redis(run.redis.url)
    await work(client)
    client.disconnect()
  }

  it(
    "storms of pg_terminate_backend lose nothing",
    async () => {
      run = await FaultRun.start({ url: database.url })
      const counts = await during(async () => {
        for (let storm = 0; storm < 5 * SCALE; storm++) {
          await run.query(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()",
          )
          await run.arrived(5)
        }
      })
      expect(await run.verdict("pg_terminate_backend")).toMatchObject(nothingWrong)
      expect(counts.failed).toBeGreaterThan(4)
    },
    PATIENCE_MS,
  )

  it(
    "a Redis that is killed, loads what it has, and comes back loses nothing",
    async () => {
      // With each of its first commands it takes its time, which makes it answer LOADING for a while.
      run = await FaultRun.start({ url: database.url, redisFlags: ["--key-load-delay", "200"] })
      await onRedis((client) => client.eval("for i = 1, 3000 do redis.call('SET', 'filler' .. i, i) end", 0))
      const states: string[] = []
      await during(async () => {
        for (let kills = 0; kills < SCALE; kills++) {
          await run.redis.kill()
          await run.troubled(/not connected|did not take|closed/)
          await run.redis.start()
          states.push(await persistence(run.redis.port))
        }
      })
      expect(states).toEqual(states.map(() => "loading:1"))
      expect(await run.verdict("Redis killed, loading")).toMatchObject(nothingWrong)
    },
    PATIENCE_MS,
  )

  it(
    "a Redis that closes connections, is out of memory, and becomes a replica loses nothing",
    async () => {
      run = await FaultRun.start({ url: database.url })
      await during(async () => {
        for (let kills = 0; kills < 3 * SCALE; kills++) {
          await onRedis((client) => client.client("KILL", "TYPE", "normal"))
          await run.arrived(5)
        }
        await onRedis((client) => client.config("SET", "maxmemory", "1"))
        await run.troubled(/OOM/)
        await onRedis((client) => client.config("SET", "maxmemory", "0"))
        // Of a main server that is not there: it keeps what it has, and refuses writes.
        await onRedis((client) => client.replicaof("127.0.0.1", "1"))
        await run.troubled(/READONLY|replica/)
        await onRedis((client) => client.replicaof("NO", "ONE"))
      })
      expect(await run.verdict("Redis out of memory, a replica, connections closed")).toMatchObject(nothingWrong)
    },
    PATIENCE_MS,
  )

  it.each(["black-holed", "half-open"] as const)(
    "a %s connection to Redis loses nothing",
    async (kind) => {
      run = await FaultRun.start({ url: database.url, redisUrl: () => `redis://127.0.0.1:${proxies[0]?.port}` })
      const proxy = await proxyTo(run.redis.port)
      await during(() => broken(proxy, kind, () => run.troubled(/no answer/)))
      expect(await run.verdict(`${kind} connection to Redis`)).toMatchObject(nothingWrong)
    },
    PATIENCE_MS,
  )

  it.each(["black-holed", "half-open"] as const)(
    "a %s connection of the relay to Postgres loses nothing",
    async (kind) => {
      const url = new URL(database.url)
      const proxy = await proxyTo(Number(url.port))
      run = await FaultRun.start({ url: database.url, relayUrl: Object.assign(url, { port: String(proxy.port) }).href })
      const ownLease = "SELECT lease_until < clock_timestamp() AS over FROM change_events.cursor"
      const leaseOver = () => run.untilRow(ownLease, (row) => (row as { over: boolean }).over)
      await during(() => broken(proxy, kind, leaseOver))
      expect(await run.verdict(`${kind} connection to Postgres`)).toMatchObject(nothingWrong)
      expect(await run.claims()).toBeGreaterThan(1)
    },
    PATIENCE_MS,
  )

  it(
    "a transaction that stays open all the while delays nothing, and comes in order",
    async () => {
      run = await FaultRun.start({ url: database.url })
      const idle = (await database.dataSource()).createQueryRunner()
      await idle.startTransaction()
      await idle.query("INSERT INTO ledger VALUES ('idle', 1)")
      const event = { id: "idle", kind: "application", topic: "idle", key: "idle", occurredAt: new Date(), context: {} }
      const record = { postchange: { slug: "idle", name: "1" } }
      await idle.query(
        "INSERT INTO change_events.log (key, event, record) VALUES ('idle', $1, $2)",
        [event, record].map((part) => JSON.stringify(part)),
      )
      const [{ pid }] = (await idle.query("SELECT pg_backend_pid() AS pid")) as [{ pid: number }]
      await during(async () => {
        // The deadline of each round: delivery goes on all the while.
        do await run.arrived(50)
        while ((await secondsOpen(pid)) < OPEN_SECONDS)
      })
      expect(await run.verdict("beside an open transaction")).toMatchObject(nothingWrong)
      await idle.commitTransaction()
      await idle.release()
      expect(await run.verdict("and behind it")).toMatchObject(nothingWrong)
    },
    PATIENCE_MS,
  )

  it(
    "a webhook's receiver that refuses, never answers, and is killed loses nothing",
    async () => {
      const { run: started, hook } = await FaultRun.startHook({ url: database.url })
      run = started
      await during(async () => {
        hook.behave("refuse")
        await run.troubled(/503/)
        hook.behave("take and hang")
        await run.troubled(/no answer/)
        hook.behave("take")
        await run.arrived(5)
        await hook.receiver.kill()
        await run.troubled(/ECONNREFUSED|connect/)
        await hook.receiver.start()
      })
      const verdict = await run.verdict("a webhook's receiver")
      expect(verdict).toMatchObject(nothingWrong)
      expect(verdict.duplicates).toBeGreaterThan(0)
    },
    PATIENCE_MS,
  )
})

/** Until it is felt, and then whole again. Half-open: the other side has forgotten the connection. */
async function broken(proxy: TcpProxy, kind: "black-holed" | "half-open", felt: () => Promise<void>): Promise<void> {
  for (let times = 0; times < SCALE; times++) {
    proxy.blackHole()
    await felt()
    if (kind === "half-open") proxy.cut()
    proxy.resume()
    if (SCALE > 1) await pause(1_000)
  }
}

/** Whether it is still loading. */
async function persistence(port: number): Promise<string> {
  const client = new Redis(port, "127.0.0.1", { enableReadyCheck: false })
  const text = await client.info("persistence")
  client.disconnect()
  return /loading:\d/.exec(text)?.[0] ?? text
}
