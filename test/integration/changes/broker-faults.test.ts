import { once } from "node:events"
import { createServer, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import express from "express"
import type { DataSource } from "typeorm"
import { Tag } from "../../../fixtures/inventory/tag"
import { changeEvents, type ChangeEvents, type EventBroker } from "../../../src"
import { redisBroker } from "../../../src/brokers/redis"
import { syslogBroker } from "../../../src/brokers/syslog"
import { expressChangeContext } from "../../../src/context/express"
import { memoryBroker, type MemoryBroker } from "../../../src/testing"
import { startRedisServer } from "../../servers/redis-server"
import { startSyslogReceiver } from "../../servers/syslog-receiver"
import { createTestDatabase, type TestDatabase } from "../../servers/test-database"

const silent = { warn: () => undefined, error: () => undefined }

/** A small application whose requests write, with a healthy broker beside the one that a test breaks. */
interface Application {
  readonly changes: ChangeEvents
  readonly healthy: MemoryBroker
  /** Sends requests that make a tag each, and gives their status codes. */
  request(...names: readonly string[]): Promise<number[]>
  stop(): Promise<void>
}

async function startApplication(database: TestDatabase, broken: EventBroker): Promise<Application> {
  const healthy = memoryBroker()
  const delivery = { publishTimeoutMs: 200, retryDelayMs: 20, maxRetryDelayMs: 100 }
  const changes = changeEvents({ brokers: { broken, healthy }, delivery, logger: silent })
  const dataSource = await database.dataSource({ subscribers: [changes.subscriber] })
  const server = await listen(dataSource)
  const { port } = server.address() as AddressInfo
  const post = async (name: string): Promise<number> =>
    (await fetch(`http://127.0.0.1:${port}/tags/${encodeURIComponent(name)}`, { method: "POST" })).status
  return {
    changes,
    healthy,
    request: (...names) => Promise.all(names.map(post)),
    stop: async () => {
      server.close()
      server.closeAllConnections()
      await changes.close({ timeoutMs: 500 })
      await dataSource.destroy()
    },
  }
}

async function listen(dataSource: DataSource): Promise<Server> {
  const app = express()
  app.use(expressChangeContext())
  app.post("/tags/:name", async (request, response) => {
    await dataSource.getRepository(Tag).save({ name: String(request.params["name"]) })
    response.status(201).end()
  })
  const server = createServer(app).listen(0, "127.0.0.1")
  await once(server, "listening")
  return server
}

function names(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}-${index}`)
}

async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 10_000
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`not within 10 s: ${condition.toString()}`)
    await new Promise((resolve) => setImmediate(resolve))
  }
}

describe("a request", () => {
  let database: TestDatabase
  let application: Application

  beforeEach(async () => {
    database = await createTestDatabase(18)
  })
  afterEach(async () => {
    await application.stop()
    await database.drop()
  })

  async function expectUnharmed(count: number): Promise<void> {
    const statuses = await application.request(...names("tag", count))
    expect(statuses).toEqual(Array.from({ length: count }, () => 201))
    await until(() => application.healthy.messages.length === count)
    expect(new Set(application.healthy.messages.map((message) => message.id)).size).toBe(count)
  }

  const broken = () => application.changes.status().brokers["broken"]

  it("finishes, and the other broker gets everything, when a broker hangs", async () => {
    application = await startApplication(database, { publish: () => new Promise<void>(() => undefined) })
    await expectUnharmed(40)

    await until(() => broken()?.lastError?.code === "PUBLISH_TIMEOUT")
    expect(broken()?.delivered).toBe(0)
  })

  it("finishes, and the other broker gets everything, when a broker throws synchronously", async () => {
    application = await startApplication(database, {
      publish: () => {
        throw new Error("synchronously")
      },
    })
    await expectUnharmed(40)

    await until(() => broken()?.lastError?.message === "synchronously")
  })

  it("finishes, and nothing breaks, when a broker answers after close()", async () => {
    let answer = (): void => undefined
    application = await startApplication(database, {
      publish: () => new Promise<void>((resolve) => (answer = resolve)),
    })
    await expectUnharmed(3)
    await application.changes.close({ timeoutMs: 50 })
    answer()

    expect(await application.request("after close")).toEqual([201])
    expect(application.changes.status().refusedAfterClose).toBe(1)
    expect(broken()).toMatchObject({ delivered: 0, state: "closed" })
  })

  it("finishes while Redis is away from the start", async () => {
    application = await startApplication(database, redisBroker({ url: "redis://127.0.0.1:1" }))
    await expectUnharmed(40)

    await until(() => broken()?.lastError !== null)
    expect(broken()).toMatchObject({ delivered: 0, failed: 0, dropped: 0 })
    expect(broken()?.queued).toBe(40)
  })

  it("finishes while Redis is killed and restarted in the middle, and Redis gets what waited", async () => {
    const redis = await startRedisServer()
    application = await startApplication(database, redisBroker({ url: redis.url }))
    await application.request(...names("before", 20))
    await until(() => broken()?.delivered === 20)
    await redis.kill()
    await application.request(...names("during", 20))
    await until(() => broken()?.lastError !== null)
    await redis.start()
    await application.request(...names("after", 20))
    await until(() => application.healthy.messages.length === 60)

    await application.changes.flush()
    expect(broken()).toMatchObject({ delivered: 60, failed: 0, dropped: 0, queued: 0 })
    await redis.remove()
  })

  it("finishes while a syslog receiver never reads, and memory stays within the queue's bound", async () => {
    const receiver = await startSyslogReceiver({ protocol: "tcp", behaviour: "ignore" })
    application = await startApplication(database, syslogBroker({ url: `tcp://127.0.0.1:${receiver.port}` }))
    application.changes.registerBroker("bounded", syslogBroker({ url: `tcp://127.0.0.1:${receiver.port}` }), {
      delivery: { maxQueuedEvents: 10 },
    })
    await expectUnharmed(40)

    const { bounded } = application.changes.status().brokers
    expect(bounded?.queued).toBeLessThanOrEqual(10)
    expect((bounded?.delivered ?? 0) + (bounded?.queued ?? 0) + (bounded?.dropped ?? 0) + (bounded?.failed ?? 0)).toBe(
      40,
    )
    await receiver.stop()
  })
})
