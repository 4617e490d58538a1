import type { EventBroker } from "../../../src/brokers/broker"
import { memoryBroker } from "../../../src/brokers/memory"
import { deviceEvent, deviceEvents, numbersOf } from "./support/device-events"
import { hangingBroker, scriptedBroker } from "./support/scripted-broker"
import { sinkUnderTest } from "./support/sink-under-test"

describe("registerBroker", () => {
  it("refuses a name that is taken, and keeps the broker that has it (nb-registration-1, which only warned)", async () => {
    const { sink, deliverAll } = sinkUnderTest()
    const first = memoryBroker()
    sink.registerBroker("audit", first)

    const again = (): void => sink.registerBroker("audit", memoryBroker())

    expect(again).toThrow(expect.objectContaining({ code: "BROKER_NAME_TAKEN", details: { broker: "audit" } }))
    sink.accept(deviceEvents(1))
    await deliverAll()
    expect(first.messages).toHaveLength(1)
  })

  it("names every fault at once, and registers nothing", () => {
    const { sink } = sinkUnderTest()
    const options = { topics: { include: "dcim.*" }, format: "recrod", delivery: { batchSize: 0 } }

    const register = (): void => sink.registerBroker("audit", {} as EventBroker, options as never)

    expect(register).toThrow(expect.objectContaining({ code: "BROKER_INVALID" }))
    expect(register).toThrow(/publish.*include.*recrod.*batchSize/)
    expect(sink.status().brokers).toEqual({})
  })

  it.each([
    ["an empty name", ""],
    ["a name that is no string", 7],
  ])("refuses %s", (_, name) => {
    const { sink } = sinkUnderTest()

    expect(() => sink.registerBroker(name as string, memoryBroker())).toThrow(
      expect.objectContaining({ code: "BROKER_INVALID" }),
    )
  })

  it("keeps the first of two brokers when the second is faulty (nb-config-15)", () => {
    const { sink } = sinkUnderTest()
    sink.registerBroker("audit", memoryBroker())

    expect(() => sink.registerBroker("search", "does.not.exist.Broker" as never)).toThrow()
    expect(Object.keys(sink.status().brokers)).toEqual(["audit"])
  })

  it("publishes nothing retroactively", async () => {
    const { sink, deliverAll } = sinkUnderTest()
    const late = memoryBroker()

    sink.accept(deviceEvents(3))
    sink.registerBroker("audit", late)
    sink.accept(deviceEvents(1, 4))
    await deliverAll()

    expect(numbersOf(late.messages)).toEqual([4])
  })

  it("takes one broker under two names as two (nb-registration-2)", async () => {
    const { sink, deliverAll } = sinkUnderTest()
    const broker = memoryBroker()
    sink.registerBroker("audit", broker)
    sink.registerBroker("search", broker)

    sink.accept(deviceEvents(1))
    await deliverAll()

    expect(broker.messages).toHaveLength(2)
  })

  it("sends a broker only the topics it asked for", async () => {
    const { sink, deliverAll } = sinkUnderTest()
    const broker = memoryBroker()
    sink.registerBroker("audit", broker, { topics: { include: ["*.dcim.*"], exclude: ["*.cable"] } })

    sink.accept([
      deviceEvent(1),
      deviceEvent(2, { topic: "update.ipam.ipaddress" }),
      deviceEvent(3, { topic: "update.dcim.cable" }),
    ])
    await deliverAll()

    expect(numbersOf(broker.messages)).toEqual([1])
    expect(sink.status().brokers["audit"]).toMatchObject({ delivered: 1, skipped: 0, queued: 0 })
  })

  it("does not even read an event that no broker wants", async () => {
    const { sink, deliverAll } = sinkUnderTest()
    const resolve = jest.fn()
    sink.registerBroker("audit", memoryBroker(), { topics: { include: ["*.ipam.*"] } })

    sink.accept([deviceEvent(1, { resolve })])
    await deliverAll()

    expect(resolve).not.toHaveBeenCalled()
  })

  it("lets a broker's own delivery options go before the sink's, except undefined ones", async () => {
    const { sink, deliverAll } = sinkUnderTest({ maxAttempts: 2, circuitThreshold: 100 })
    const search = scriptedBroker(() => new Error("busy"))
    const audit = scriptedBroker(() => new Error("busy"))
    sink.registerBroker("search", search, { delivery: { maxAttempts: undefined } })
    sink.registerBroker("audit", audit, { delivery: { maxAttempts: 7 } })

    sink.accept(deviceEvents(1))
    await deliverAll()

    expect([search.calls.length, audit.calls.length]).toEqual([2, 7])
  })
})

describe("deregisterBroker", () => {
  it("rejects for a name that is not registered", async () => {
    const { sink } = sinkUnderTest()
    sink.registerBroker("search", memoryBroker())

    await expect(sink.deregisterBroker("audit")).rejects.toMatchObject({
      code: "BROKER_UNKNOWN",
      details: { broker: "audit", registered: ["search"] },
    })
  })

  it("waits for the call under way, drops what is queued, then closes the broker", async () => {
    const { sink, clock } = sinkUnderTest()
    const log: string[] = []
    let answer = (): void => undefined
    const publish = ({ id }: { id: string }): Promise<void> => {
      log.push(id)
      return new Promise((resolve) => (answer = resolve))
    }
    sink.registerBroker("audit", { publish, close: async () => void log.push("closed") })
    sink.accept(deviceEvents(10))
    await clock.advance(0)

    const deregistered = sink.deregisterBroker("audit")
    await clock.advance(0)
    const whileUnderWay = [...log]
    answer()
    await deregistered

    expect(whileUnderWay).toEqual(["event-1"])
    expect(log).toEqual(["event-1", "closed"])
  })

  it("closes a broker that hangs all the same", async () => {
    const { sink, clock } = sinkUnderTest()
    const close = jest.fn(() => Promise.resolve())
    sink.registerBroker("audit", { ...hangingBroker(), close })
    sink.accept(deviceEvents(3))
    await clock.advance(0)

    await clock.drive(sink.deregisterBroker("audit", { timeoutMs: 1_000 }))

    expect(close).toHaveBeenCalledTimes(1)
  })

  it("ends the pause of a broker that is retried", async () => {
    const { sink, clock } = sinkUnderTest({ retryDelayMs: 30_000 })
    const broker = scriptedBroker(() => new Error("busy"))
    sink.registerBroker("audit", broker)
    sink.accept(deviceEvents(1))
    await clock.advance(0)

    await sink.deregisterBroker("audit")

    expect(broker.calls).toHaveLength(1)
    expect(clock.delays).toEqual([])
  })

  it("lets a flush that waits for the broker resolve, and frees the name", async () => {
    const { sink, clock } = sinkUnderTest()
    sink.registerBroker("audit", hangingBroker())
    sink.accept(deviceEvents(3))

    const flushed = sink.flush({ timeoutMs: 60_000 })
    const deregistered = sink.deregisterBroker("audit", { timeoutMs: 1_000 })
    sink.registerBroker("audit", memoryBroker())

    await clock.drive(Promise.all([flushed, deregistered]))
    expect(sink.status().brokers["audit"]).toMatchObject({ state: "idle", queued: 0 })
  })

  it("leaves a broker open that is registered under another name too", async () => {
    const { sink } = sinkUnderTest()
    const close = jest.fn(() => Promise.resolve())
    const broker = { ...memoryBroker(), close }
    sink.registerBroker("audit", broker)
    sink.registerBroker("search", broker)

    await sink.deregisterBroker("audit")
    const closedByFirst = close.mock.calls.length
    await sink.deregisterBroker("search")

    expect([closedByFirst, close.mock.calls.length]).toEqual([0, 1])
  })
})

describe("status", () => {
  it("tells what waits, for how long, and the last error", async () => {
    const { sink, clock } = sinkUnderTest({ retryDelayMs: 60_000, maxRetryDelayMs: 60_000 })
    const acceptedAt = clock.now()
    sink.registerBroker(
      "audit",
      scriptedBroker((number) => (number === 2 ? new Error("busy") : undefined)),
    )

    sink.accept(deviceEvents(3))
    await clock.advance(5_000)

    expect(sink.status()).toEqual({
      listeners: 0,
      refusedAfterClose: 0,
      brokers: {
        audit: {
          state: "retrying",
          delivered: 1,
          failed: 0,
          dropped: 0,
          skipped: 0,
          queued: 2,
          queuedBytes: 200,
          lagMs: 5_000,
          lastError: { code: "PUBLISH_FAILED", message: "busy", at: new Date(acceptedAt) },
          lastDeliveredAt: new Date(acceptedAt),
        },
      },
    })
  })

  it("is idle, with nothing in it, for a broker that got nothing yet", () => {
    const { sink } = sinkUnderTest()
    sink.registerBroker("audit", memoryBroker())

    expect(sink.status().brokers["audit"]).toMatchObject({
      state: "idle",
      lagMs: 0,
      lastError: null,
      lastDeliveredAt: null,
    })
  })

  it("cuts a long error message", async () => {
    const { sink, deliverAll } = sinkUnderTest({ maxAttempts: 1 })
    sink.registerBroker(
      "audit",
      scriptedBroker(() => new Error("x".repeat(100_000))),
    )

    sink.accept(deviceEvents(1))
    await deliverAll()

    expect(sink.status().brokers["audit"]?.lastError?.message).toHaveLength(500)
  })
})
