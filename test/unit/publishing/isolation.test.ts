import { AsyncLocalStorage } from "node:async_hooks"
import { memoryBroker } from "../../../src/brokers/memory"
import type { EventBroker } from "../../../src/brokers/broker"
import { deviceEvents, numbersOf } from "./support/device-events"
import { workIsDone } from "./support/fake-clock"
import { hangingBroker } from "./support/scripted-broker"
import { sinkUnderTest } from "./support/sink-under-test"

const fails = (): never => {
  throw new Error("down")
}
const batching = (publishBatch: () => unknown): EventBroker => ({
  publish: () => Promise.reject(new Error("it has batches")),
  publishBatch: publishBatch as EventBroker["publishBatch"],
})
const hostileError = Object.defineProperty(new Error("hostile"), "message", { get: fails })
const hostileThenable = Object.defineProperty({}, "then", { get: fails })

const failing: Record<string, EventBroker> = {
  "throws at once": { publish: fails },
  rejects: { publish: () => Promise.reject(new Error("down")) },
  "rejects with nothing": { publish: () => Promise.reject() },
  "rejects with an object without a prototype": { publish: () => Promise.reject(Object.create(null)) },
  "rejects with an error that throws when read": { publish: () => Promise.reject(hostileError) },
  "gives a thenable that throws": { publish: () => hostileThenable as Promise<void> },
  hangs: hangingBroker(),
  "has a publish that cannot be read a second time": flickering(),
  "gives no results": batching(() => Promise.resolve()),
  "gives no promise of results": batching(() => "accepted"),
  "gives too few results": batching(() => Promise.resolve([])),
  "gives results that are none": batching(() => Promise.resolve([null, 1, "accepted", {}])),
  "throws from publishBatch": batching(fails),
}

function flickering(): EventBroker {
  let reads = 0
  return Object.defineProperty({} as EventBroker, "publish", {
    get: () => (reads++ === 0 ? () => Promise.resolve() : fails()),
  })
}

describe("a broker", () => {
  it.each(Object.entries(failing))(
    "that %s has its events counted failed, and another gets them all",
    async (_, broker) => {
      const { sink, report, deliverAll } = sinkUnderTest()
      const healthy = memoryBroker()
      sink.registerBroker("audit", broker)
      sink.registerBroker("search", healthy)

      sink.accept(deviceEvents(3))
      await deliverAll()

      expect(numbersOf(healthy.messages)).toEqual([1, 2, 3])
      expect(sink.status().brokers["audit"]).toMatchObject({ delivered: 0, failed: 3, dropped: 0, queued: 0 })
      expect(report.codes.filter((code) => code === "PUBLISH_FAILED")).toHaveLength(3)
    },
  )

  it("has accepted a message when its publish gives no promise", async () => {
    const { sink, deliverAll } = sinkUnderTest()
    sink.registerBroker("audit", { publish: () => undefined as unknown as Promise<void> })

    sink.accept(deviceEvents(3))
    await deliverAll()

    expect(sink.status().brokers["audit"]).toMatchObject({ delivered: 3, failed: 0 })
  })

  it("may give more results than messages", async () => {
    const { sink, deliverAll } = sinkUnderTest()
    sink.registerBroker(
      "audit",
      batching(() => Promise.resolve(Array(99).fill({ accepted: true }))),
    )

    sink.accept(deviceEvents(3))
    await deliverAll()

    expect(sink.status().brokers["audit"]).toMatchObject({ delivered: 3, failed: 0 })
  })

  it("that never answers holds up nobody else", async () => {
    const { sink, clock } = sinkUnderTest()
    const healthy = memoryBroker()
    sink.registerBroker("audit", hangingBroker())
    sink.registerBroker("search", healthy)

    sink.accept(deviceEvents(10))
    await clock.advance(0)

    expect(healthy.messages).toHaveLength(10)
    expect(sink.status().brokers["audit"]).toMatchObject({ state: "delivering", queued: 10 })
  })

  it.each(["resolves", "rejects"] as const)("that %s after its timeout is not listened to any more", async (how) => {
    const { sink, clock } = sinkUnderTest({ publishTimeoutMs: 1_000, maxAttempts: 1 })
    const late: (() => void)[] = []
    const publish = (): Promise<void> =>
      new Promise((resolve, reject) => late.push(() => (how === "resolves" ? resolve() : reject(new Error("late")))))
    sink.registerBroker("audit", { publish })

    sink.accept(deviceEvents(1))
    await clock.advance(1_000)
    late.forEach((answer) => answer())
    await workIsDone()

    expect(sink.status().brokers["audit"]).toMatchObject({ delivered: 0, failed: 1, queued: 0 })
    expect(sink.status().brokers["audit"]?.lastError).toMatchObject({ code: "PUBLISH_TIMEOUT" })
  })

  it.each(["resolves", "rejects"] as const)("that %s after everything was closed disturbs nothing", async (how) => {
    const { sink, clock } = sinkUnderTest()
    const late: (() => void)[] = []
    const publish = (): Promise<void> =>
      new Promise((resolve, reject) => late.push(() => (how === "resolves" ? resolve() : reject(new Error("late")))))
    sink.registerBroker("audit", { publish })

    sink.accept(deviceEvents(2))
    await clock.drive(sink.close({ timeoutMs: 1_000 }))
    const before = sink.status()
    late.forEach((answer) => answer())
    await workIsDone()

    expect(sink.status()).toEqual(before)
    expect(before.brokers["audit"]).toMatchObject({ delivered: 0, dropped: 2, queued: 0, queuedBytes: 0 })
  })

  it("cannot change what another broker gets", async () => {
    const { sink, report, deliverAll } = sinkUnderTest({ maxAttempts: 1 })
    const healthy = memoryBroker()
    sink.registerBroker("audit", { publish: async (message) => void Object.assign(message, { body: "forged" }) })
    sink.registerBroker("search", healthy)

    sink.accept(deviceEvents(1))
    await deliverAll()

    expect(healthy.messages[0]?.body).not.toBe("forged")
    expect(report.codes).toEqual(["PUBLISH_FAILED"])
  })

  it("is called outside the context of the request whose commit woke the delivery", async () => {
    const requests = new AsyncLocalStorage<string>()
    const { sink, deliverAll } = sinkUnderTest()
    const seen: unknown[] = []
    sink.registerBroker("audit", { publish: async () => void seen.push(requests.getStore()) })
    sink.on("*", () => seen.push(requests.getStore()))

    requests.run("PATCH /devices/1", () => sink.accept(deviceEvents(2)))
    await deliverAll()

    expect(seen).toEqual([undefined, undefined, undefined, undefined])
  })
})
