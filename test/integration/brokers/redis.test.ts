import { inspect } from "node:util"
import { Redis } from "ioredis"
import vectors from "../../../fixtures/vectors/brokers.json"
import { redisBroker } from "../../../src/brokers/redis"
import { publishUntilAccepted } from "../../contracts/broker-contract"
import { eventMessage } from "../../contracts/event-message"
import { freePort } from "../../../fixtures/postgres/free-port"
import { startRedisServer, type RedisServer } from "../../servers/redis-server"
import { startTcpProxy, type TcpProxy } from "../../servers/tcp-proxy"
import { subscribeToRedis } from "./redis-subscriber"
import { thrownBy } from "./thrown-by"
import { usedMemoryBytes } from "./used-memory"

let server: RedisServer
const endings: (() => unknown)[] = []

/** Ends it after the test, the last one first. */
function ending(end: () => unknown): void {
  endings.unshift(end)
}

beforeEach(async () => {
  server = await startRedisServer({ flags: ["--requirepass", "s3cret"] })
  ending(() => server.remove())
})

afterEach(async () => {
  for (const end of endings.splice(0)) await end()
})

const url = (password = "s3cret", port = server.port): string => `redis://:${password}@127.0.0.1:${port}`

function brokerAt(address: string, more: { connectTimeoutMs?: number; commandTimeoutMs?: number } = {}) {
  const broker = redisBroker({ url: address, ...more })
  ending(() => broker.close())
  return broker
}

async function proxied(): Promise<TcpProxy> {
  const proxy = await startTcpProxy(server.port)
  ending(() => proxy.stop())
  return proxy
}

describe("the vectors of the first seed", () => {
  it("nb-redis-1: a pattern subscriber gets topic and payload as they are", async () => {
    const { first } = vectors.find(({ id }) => id === "nb-redis-1")?.expected as {
      first: { pattern: string; channel: string; data: string }
    }
    const subscriber = await subscribeToRedis(url(), first.pattern)
    ending(() => subscriber.stop())

    await brokerAt(url()).publish(eventMessage({ topic: first.channel, body: first.data }))

    await subscriber.received(1)
    expect(subscriber.messages).toEqual([{ pattern: first.pattern, topic: first.channel, body: first.data }])
  })

  it("nb-redis-2: a server that is down is not noticed when the broker is made, but by each publish", async () => {
    const broker = brokerAt(`redis://127.0.0.1:${await freePort()}`)

    for (let n = 0; n < 3; n++) {
      const error = await thrownBy(broker.publish(eventMessage()))
      expect(error).toMatchObject({ code: "BROKER_UNAVAILABLE", retryable: true, cause: { code: "ECONNREFUSED" } })
    }
  })
})

describe("a connection that is lost", () => {
  it("rejects after a kill, and publishes again after the restart, in order", async () => {
    const subscriber = await subscribeToRedis(url(), "*")
    ending(() => subscriber.stop())
    const broker = brokerAt(url())
    const publish = (n: number) => publishUntilAccepted(broker, eventMessage({ body: String(n) }))

    for (let n = 0; n < 100; n++) await publish(n)
    await subscriber.received(100)
    await server.kill()
    const error = await thrownBy(broker.publish(eventMessage({ body: "lost" })))
    await server.start()
    await subscriber.subscribedAgain()
    for (let n = 100; n < 200; n++) await publish(n)

    const bodies = (await subscriber.received(200)).map(({ body }) => body)
    expect(error).toMatchObject({ code: "BROKER_UNAVAILABLE", retryable: true })
    expect(bodies).toEqual(Array.from({ length: 200 }, (_, n) => String(n)))
  })

  it("answers for every message of a batch whose connection is reset", async () => {
    const proxy = await proxied()
    const broker = brokerAt(url("s3cret", proxy.port))
    await broker.publish(eventMessage())
    proxy.blackHole()

    const outcome = broker.publishBatch([eventMessage(), eventMessage()])
    proxy.cut()

    const unavailable = { accepted: false, error: expect.objectContaining({ code: "BROKER_UNAVAILABLE" }) }
    expect(await outcome).toEqual([unavailable, unavailable])
  })

  it("rejects at once while it is disconnected", async () => {
    const broker = brokerAt(`redis://127.0.0.1:${await freePort()}`)
    await thrownBy(broker.publish(eventMessage()))

    const startedAt = performance.now()
    for (let n = 0; n < 100; n++) await thrownBy(broker.publish(eventMessage()))

    expect(performance.now() - startedAt).toBeLessThan(500)
  })
})

describe("a server that does not answer", () => {
  it("rejects in time, and publishes again when the cable is back", async () => {
    const proxy = await proxied()
    const broker = brokerAt(url("s3cret", proxy.port), { commandTimeoutMs: 100, connectTimeoutMs: 100 })
    await broker.publish(eventMessage())
    proxy.blackHole()

    const error = await thrownBy(broker.publish(eventMessage()))
    proxy.resume()

    expect(error).toMatchObject({ code: "PUBLISH_TIMEOUT", retryable: true })
    await publishUntilAccepted(broker, eventMessage())
  })

  it("rejects in time when nothing answers the first connection", async () => {
    const proxy = await proxied()
    proxy.blackHole()
    const broker = brokerAt(url("s3cret", proxy.port), { connectTimeoutMs: 100 })

    await expect(broker.publish(eventMessage())).rejects.toMatchObject({ code: "BROKER_UNAVAILABLE" })
  })

  it("keeps nothing in memory of what it could not send", async () => {
    const broker = brokerAt(url(), { commandTimeoutMs: 50, connectTimeoutMs: 50 })
    await broker.publish(eventMessage())
    server.freeze()
    const body = "x".repeat(100_000)
    const before = usedMemoryBytes()

    for (let n = 0; n < 300; n++) await thrownBy(broker.publish(eventMessage({ body: body + n })))

    expect(usedMemoryBytes() - before).toBeLessThan(10 * 1024 * 1024)
  })

  it("closes in time", async () => {
    const broker = redisBroker({ url: url() })
    await broker.publish(eventMessage())
    server.freeze()

    const startedAt = performance.now()
    await broker.close()

    expect(performance.now() - startedAt).toBeLessThan(2_000)
  })
})

describe("secrets", () => {
  it("shows neither the password of its url nor that of the server", async () => {
    const errors = [
      await thrownBy(brokerAt(url("wr0ng")).publish(eventMessage())),
      await thrownBy(brokerAt(`redis://user:wr0ng@127.0.0.1:${await freePort()}`).publish(eventMessage())),
    ]

    for (const error of errors) expect(inspect(error, { depth: 10 })).not.toMatch(/wr0ng|s3cret/)
  })

  it("shows no body when Redis refuses a message", async () => {
    const admin = new Redis(url())
    ending(() => admin.disconnect())
    await admin.call("ACL", "SETUSER", "default", "resetchannels", "&allowed.*")

    const error = await thrownBy(brokerAt(url()).publish(eventMessage({ body: "wr0ng" })))

    expect(error).toMatchObject({ code: "PUBLISH_FAILED", message: expect.stringContaining("NOPERM") })
    expect(inspect(error, { depth: 10 })).not.toContain("wr0ng")
  })
})

describe("a client that is handed in", () => {
  it("publishes through it, and leaves it open", async () => {
    const client = new Redis(url(), { lazyConnect: true, enableOfflineQueue: false })
    ending(() => client.disconnect())
    const broker = redisBroker({ client })

    await broker.publish(eventMessage())
    expect(await broker.publishBatch([eventMessage(), eventMessage()])).toEqual([
      { accepted: true },
      { accepted: true },
    ])
    await broker.close()

    expect(await client.ping()).toBe("PONG")
  })

  it("does not fill the client's queue while it is disconnected", async () => {
    const client = new Redis(url(), { disconnectTimeout: 100 })
    ending(() => client.disconnect())
    const broker = redisBroker({ client })
    await broker.publish(eventMessage())
    client.on("error", () => undefined)
    const closed = new Promise((resolve) => client.once("close", resolve))
    await server.kill()
    await closed

    const error = await thrownBy(broker.publish(eventMessage()))

    expect(error.code).toBe("BROKER_UNAVAILABLE")
    expect((client as unknown as { offlineQueue: unknown[] }).offlineQueue).toHaveLength(0)
  })
})

it("keeps the offline queue off, whatever the query of the url says", async () => {
  const broker = brokerAt(`redis://127.0.0.1:${await freePort()}?enableOfflineQueue=true&maxRetriesPerRequest=100`)

  await expect(broker.publish(eventMessage())).rejects.toMatchObject({ code: "BROKER_UNAVAILABLE" })
})
