import { Redis } from "ioredis"
import { setTimeout as pause } from "node:timers/promises"
import { startTcpProxy, type TcpProxy } from "../servers/tcp-proxy"
import { createTestDatabase, type TestDatabase } from "../servers/test-database"
import { FaultRun } from "../support/fault-run"

const nothingWrong = { lost: [], phantom: [], disordered: [] }
const LONG = process.env["FAULTS"] === "long" ? 10 : 1

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

  /** The fault begins when some events have arrived, and ends before the writing does. */
  async function during(fault: () => Promise<void>, transactions = 250) {
    const relay = run.relayAgain()
    const writing = run.application(transactions)
    await run.arrived(20)
    await fault()
    await writing.ended
    return relay
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
      await during(async () => {
        for (let storm = 0; storm < 5 * LONG; storm++) {
          await run.query(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()",
          )
          await pause(100)
        }
      })
      expect(await run.verdict("pg_terminate_backend")).toMatchObject(nothingWrong)
    },
    60_000 * LONG,
  )

  it(
    "a Redis that is killed and comes back loses nothing",
    async () => {
      run = await FaultRun.start({ url: database.url })
      await during(async () => {
        await run.redis.kill()
        await pause(500 * LONG)
        await run.redis.start()
      })
      expect(await run.verdict("Redis killed")).toMatchObject(nothingWrong)
    },
    60_000 * LONG,
  )

  it(
    "a Redis that closes connections, is out of memory, and becomes a replica loses nothing",
    async () => {
      run = await FaultRun.start({ url: database.url })
      await during(async () => {
        for (let n = 0; n < 3 * LONG; n++) await onRedis((client) => client.client("KILL", "TYPE", "normal"))
        await onRedis((client) => client.config("SET", "maxmemory", "1"))
        await pause(300)
        await onRedis((client) => client.config("SET", "maxmemory", "0"))
        // Of a main server that is not there: it keeps what it has, and refuses writes.
        await onRedis((client) => client.replicaof("127.0.0.1", "1"))
        await pause(300)
        await onRedis((client) => client.replicaof("NO", "ONE"))
      })
      expect(await run.verdict("Redis out of memory, connections closed")).toMatchObject(nothingWrong)
    },
    60_000 * LONG,
  )

  it.each(["black-holed", "half-open"] as const)(
    "a %s connection to Redis loses nothing",
    async (kind) => {
      run = await FaultRun.start({
        url: database.url,
        redisUrl: () => `redis://127.0.0.1:${proxies[0]?.port}`,
      })
      const proxy = await proxyTo(run.redis.port)
      await during(() => broken(proxy, kind))
      expect(await run.verdict(`${kind} connection to Redis`)).toMatchObject(nothingWrong)
    },
    60_000 * LONG,
  )

  it.each(["black-holed", "half-open"] as const)(
    "a %s connection of the relay to Postgres loses nothing",
    async (kind) => {
      const url = new URL(database.url)
      const proxy = await proxyTo(Number(url.port))
      run = await FaultRun.start({ url: database.url, relayUrl: Object.assign(url, { port: String(proxy.port) }).href })
      await during(() => broken(proxy, kind))
      expect(await run.verdict(`${kind} connection to Postgres`)).toMatchObject(nothingWrong)
    },
    60_000 * LONG,
  )

  it(
    "a transaction that stays open all the while delays nothing, and comes in order",
    async () => {
      run = await FaultRun.start({ url: database.url })
      const writer = (await database.dataSource()).createQueryRunner()
      await writer.startTransaction()
      await writer.query("INSERT INTO ledger VALUES ('idle', 1)")
      const event = { id: "idle", kind: "application", topic: "idle", key: "idle", occurredAt: new Date(), context: {} }
      const record = { postchange: { slug: "idle", name: "1" } }
      await writer.query(
        "INSERT INTO change_events.log (key, event, record) VALUES ('idle', $1, $2)",
        [event, record].map((part) => JSON.stringify(part)),
      )
      run.relay()
      await run.application(200).ended
      expect(await run.verdict("beside an open transaction")).toMatchObject(nothingWrong)
      await writer.commitTransaction()
      await writer.release()
      expect(await run.verdict("and behind it")).toMatchObject(nothingWrong)
    },
    60_000 * LONG,
  )
})

/** Until the lease has passed, and then whole again. Half-open: the other side has forgotten the connection. */
async function broken(proxy: TcpProxy, kind: "black-holed" | "half-open"): Promise<void> {
  proxy.blackHole()
  await pause(1_500)
  if (kind === "half-open") proxy.cut()
  proxy.resume()
}
