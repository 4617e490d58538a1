import { once } from "node:events"
import { Redis } from "ioredis"
import type { EventBroker } from "../../../src/brokers/broker"
import { redisBroker } from "../../../src/brokers/redis"
import { redisStreamBroker } from "../../../src/brokers/redis-stream"
import type { EventMessage } from "../../../src/events/message"
import { publishUntilAccepted } from "../../contracts/broker-contract"
import { eventMessage } from "../../contracts/event-message"
import { startRedisServer, type RedisServer } from "../../servers/redis-server"
import { startTcpProxy } from "../../servers/tcp-proxy"
import { subscribeToRedis } from "./redis-subscriber"

let server: RedisServer
let admin: Redis
const endings: (() => unknown)[] = []

function ending<T extends { close?(): unknown }>(subject: T): T {
  endings.unshift(() => subject.close?.())
  return subject
}

beforeEach(async () => {
  server = await startRedisServer({ flags: ["--proto-max-bulk-len", "1048576"] })
  admin = new Redis(server.url)
  endings.unshift(() => server.remove())
  endings.unshift(() => admin.disconnect())
})

afterEach(async () => {
  for (const end of endings.splice(0)) await end()
})

const accepted = { accepted: true }
const refused = (code: string, message = "") => ({
  accepted: false,
  error: expect.objectContaining({ code, message: expect.stringContaining(message) }),
})
const untried = { accepted: false, error: expect.objectContaining({ details: { isUntried: true } }) }

function numbered(count: number): EventMessage[] {
  return Array.from({ length: count }, (_, n) => eventMessage({ id: `event-${n}`, body: String(n) }))
}

async function entries(stream = "change-events"): Promise<string[]> {
  return (await admin.xrange(stream, "-", "+")).map(([, fields]) => fields[fields.indexOf("body") + 1] as string)
}

describe.each<[string, (options: { url: string; commandTimeoutMs?: number }) => Required<EventBroker>]>([
  ["redisBroker", redisBroker],
  ["redisStreamBroker", redisStreamBroker],
])("%s", (_name, make) => {
  it("says that it keeps order, as it sends a batch as a transaction", async () => {
    const broker = ending(make({ url: server.url }))
    await admin.config("RESETSTAT")

    expect(await broker.publishBatch(numbered(3))).toEqual([accepted, accepted, accepted])

    expect(broker.keepsOrder).toBe(true)
    expect(await admin.info("commandstats")).toMatch(/cmdstat_exec:calls=1,/)
  })

  it("accepts nothing behind a message that the server hangs up on, and does not wait for it forever", async () => {
    const broker = ending(make({ url: server.url }))
    const tooLarge = eventMessage({ body: "x".repeat(2 * 1024 * 1024) })
    const [first, , last] = numbered(3) as [EventMessage, EventMessage, EventMessage]

    const results = await broker.publishBatch([first, tooLarge, last])

    expect(results).toEqual([accepted, refused("PUBLISH_FAILED"), untried])
    await publishUntilAccepted(broker, last)
  })

  it("accepts all of a batch or nothing when its connection is reset", async () => {
    const proxy = await startTcpProxy(server.port)
    endings.unshift(() => proxy.stop())
    const broker = ending(make({ url: `redis://127.0.0.1:${proxy.port}` }))
    await broker.publish(eventMessage())
    proxy.blackHole()

    const outcome = broker.publishBatch(numbered(3))
    proxy.cut()

    expect(await outcome).toEqual(Array(3).fill(refused("BROKER_UNAVAILABLE")))
  })

  it("gives a whole batch up when it is not answered in time, and sends it again on a new connection", async () => {
    const proxy = await startTcpProxy(server.port)
    endings.unshift(() => proxy.stop())
    const broker = ending(make({ url: `redis://127.0.0.1:${proxy.port}`, commandTimeoutMs: 200 }))
    await broker.publishBatch(numbered(3))
    proxy.blackHole()

    expect(await broker.publishBatch(numbered(3))).toEqual(Array(3).fill(refused("PUBLISH_TIMEOUT")))
    proxy.resume()

    await publishUntilAccepted(broker, eventMessage())
    expect(await broker.publishBatch(numbered(500))).toEqual(Array(500).fill(accepted))
  })

  it("lets what watches ioredis' commands wrap a batch once", async () => {
    const { sendCommand } = Redis.prototype
    endings.unshift(() => Object.assign(Redis.prototype, { sendCommand }))
    const broker = ending(make({ url: server.url }))
    await broker.publishBatch(numbered(2))
    let answers = 0
    // As OpenTelemetry's instrumentation does.
    Redis.prototype.sendCommand = function (this: Redis, command, stream) {
      const sent = sendCommand.call(this, command, stream) as unknown
      const { resolve } = command
      command.resolve = (reply: unknown) => {
        answers++
        return resolve(reply as never)
      }
      return sent
    }

    expect(await broker.publishBatch(numbered(500))).toEqual(Array(500).fill(accepted))
    expect(answers).toBe(1)
  })

  it("publishes again after its connection was killed", async () => {
    const broker = ending(make({ url: server.url }))
    await broker.publish(eventMessage())

    expect(await admin.client("KILL", "TYPE", "normal", "SKIPME", "yes")).toBe(1)

    await publishUntilAccepted(broker, eventMessage())
  })

  it("waits while its password is not the server's", async () => {
    const broker = ending(make({ url: server.url }))
    await admin.config("SET", "requirepass", "s3cret")

    await expect(broker.publish(eventMessage())).rejects.toMatchObject({ code: "BROKER_UNAVAILABLE" })
  })
})

describe("redisBroker", () => {
  it("accepts nothing behind a message that is refused", async () => {
    const subscriber = await subscribeToRedis(server.url, "*")
    endings.unshift(() => subscriber.stop())
    await admin.call("ACL", "SETUSER", "publisher", "on", "nopass", "+@all", "&allowed.*")
    const broker = ending(redisBroker({ url: `redis://publisher:any@127.0.0.1:${server.port}` }))
    const messages = ["allowed.1", "allowed.2", "secret", "allowed.3"].map((topic) => eventMessage({ topic }))

    const results = await broker.publishBatch(messages)
    await admin.publish("allowed.end", "")

    expect(results).toEqual([accepted, accepted, refused("PUBLISH_FAILED", "NOPERM"), untried])
    expect((await subscriber.received(3)).map(({ topic }) => topic)).toEqual(["allowed.1", "allowed.2", "allowed.end"])
  })

  it("publishes when the memory is full, which is the streams' affair", async () => {
    const broker = ending(redisBroker({ url: server.url }))
    await admin.config("SET", "maxmemory", "1")

    expect(await broker.publishBatch(numbered(3))).toEqual([accepted, accepted, accepted])
  })

  it("publishes through a cluster, without a word on order", async () => {
    const node = await startRedisServer({ flags: ["--cluster-enabled", "yes", "--cluster-announce-ip", "127.0.0.1"] })
    endings.push(() => node.remove())
    const setup = new Redis(node.url)
    await setup.call("CLUSTER", "ADDSLOTSRANGE", "0", "16383")
    setup.disconnect()
    const client = new Redis.Cluster([{ host: "127.0.0.1", port: node.port }])
    endings.unshift(() => client.disconnect())
    await once(client, "ready")

    const broker = redisBroker({ client })
    const streams = redisStreamBroker({ client, stream: ({ id }) => `stream-${id}` })

    expect(broker.keepsOrder).toBe(false)
    expect(await broker.publishBatch(numbered(3))).toEqual([accepted, accepted, accepted])
    expect(await streams.publishBatch(numbered(3))).toEqual([accepted, accepted, accepted])
  })

  it("sends one message at a time through a client without transactions", async () => {
    const topics: string[] = []
    const client = {
      async publish(topic: string) {
        if (topic === "2") throw new Error("no")
        topics.push(topic)
      },
    }
    const broker = redisBroker({ client })

    const results = await broker.publishBatch(["1", "2", "3"].map((topic) => eventMessage({ topic })))

    expect(broker.keepsOrder).toBe(true)
    expect(results).toEqual([accepted, refused("BROKER_UNAVAILABLE"), untried])
    expect(topics).toEqual(["1"])
  })
})

describe("redisStreamBroker", () => {
  const brokerWith = (options: object = {}) => ending(redisStreamBroker({ url: server.url, ...options }))

  it("writes every part of a message once", async () => {
    const headers = {
      "event-id": "e1",
      "event-type": "t",
      "event-key": "k",
      "content-type": "text/x",
      traceparent: "00",
    }
    const message = eventMessage({ id: "e1", topic: "t", key: "k", contentType: "text/x", headers, body: "b" })

    await brokerWith().publish(message)

    const [[, fields] = []] = await admin.xrange("change-events", "-", "+")
    expect(fields).toEqual([
      ...["id", "e1", "topic", "t", "key", "k", "occurred_at", "2026-01-02T03:04:05.006Z"],
      ...["content_type", "text/x", "headers", `{"traceparent":"00"}`, "body", "b"],
    ])
  })

  it("writes the same bytes over its own connection as through a client it is handed", async () => {
    const own = ending(redisStreamBroker({ url: server.url, stream: "own", maxLength: null }))
    const handed = ending(redisStreamBroker({ client: admin, stream: "handed", maxLength: null }))
    const texts = ["", "plain", "ü€😀\u0000\r\n", "€".repeat(100_000), "x".repeat(200_000), "ü"]
    const batch = texts.map((body, n) => eventMessage({ id: `é${n}`, body, headers: { more: body.slice(0, 5) } }))

    for (const broker of [own, handed]) expect(await broker.publishBatch(batch)).toEqual(batch.map(() => accepted))

    const written = (await admin.xrange("own", "-", "+")).map(([, fields]) => fields)
    expect(written).toEqual((await admin.xrange("handed", "-", "+")).map(([, fields]) => fields))
    expect(await entries("own")).toEqual(texts)
  })

  it("trims a stream, or leaves it whole", async () => {
    const messages = numbered(1_000)

    await brokerWith({ maxLength: 100 }).publishBatch(messages)
    await brokerWith({ stream: "whole", maxLength: null }).publishBatch(messages)

    expect(await admin.xlen("change-events")).toBeLessThan(300)
    expect(await admin.xlen("whole")).toBe(1_000)
  })

  it("refuses a whole batch whose stream is something else", async () => {
    await admin.set("change-events", "no stream")

    const results = await brokerWith().publishBatch(numbered(3))

    expect(results).toEqual(Array(3).fill(refused("PUBLISH_FAILED", "WRONGTYPE")))
  })

  it("does not promise order for streams that a function names, where one can refuse for itself", async () => {
    await admin.set("1", "no stream")
    const broker = brokerWith({ stream: ({ body }: EventMessage) => body })

    const results = await broker.publishBatch(numbered(3))

    expect(broker.keepsOrder).toBe(false)
    expect(results).toEqual([accepted, refused("PUBLISH_FAILED", "WRONGTYPE"), accepted])
  })

  it("stops at a message whose stream the function does not name", async () => {
    const broker = brokerWith({ stream: ({ body }: EventMessage) => (body === "1" ? "" : "named") })

    const results = await broker.publishBatch(numbered(3))

    expect(results).toEqual([accepted, refused("PUBLISH_FAILED", "`stream` gave no text"), untried])
    expect(await entries("named")).toEqual(["0"])
  })

  it.each([
    ["the memory is full", () => admin.config("SET", "maxmemory", "1"), () => admin.config("SET", "maxmemory", "0")],
    ["the server is a replica", () => admin.replicaof("127.0.0.1", 1), () => admin.replicaof("NO", "ONE")],
    [
      "too few replicas are there",
      () => admin.config("SET", "min-replicas-to-write", "1"),
      () => admin.config("SET", "min-replicas-to-write", "0"),
    ],
  ] as const)("waits while %s, and goes on after that", async (_situation, begin, end) => {
    const broker = brokerWith()
    await broker.publish(eventMessage({ body: "before" }))
    await begin()

    const results = await broker.publishBatch(numbered(3))
    await end()
    await publishUntilAccepted(broker, eventMessage({ body: "after" }))

    expect(results[0]).toEqual(refused("BROKER_UNAVAILABLE", "Redis did not take the message"))
    expect(results.slice(1)).toEqual([untried, untried])
    expect(await entries()).toEqual(["before", "after"])
  })
})
