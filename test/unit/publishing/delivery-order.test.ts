import { memoryBroker } from "../../../src/brokers/memory"
import { deviceEvent, deviceEvents, numbersOf, unreadableEvent } from "./support/device-events"
import { scriptedBatchBroker, scriptedBroker } from "./support/scripted-broker"
import { sinkUnderTest } from "./support/sink-under-test"

const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1)

describe("the order of delivery", () => {
  it("is the order of acceptance, over many transactions", async () => {
    const { sink, deliverAll } = sinkUnderTest()
    const broker = memoryBroker()
    sink.registerBroker("audit", broker)

    for (let transaction = 0; transaction < 50; transaction++) sink.accept(deviceEvents(20, transaction * 20 + 1))
    await deliverAll()

    expect(numbersOf(broker.messages)).toEqual(numbers(1_000))
  })

  it("makes no call before accept has returned", async () => {
    const { sink, deliverAll } = sinkUnderTest()
    const broker = scriptedBroker()
    sink.registerBroker("audit", broker)

    sink.accept(deviceEvents(1))
    await Promise.resolve()
    const callsAtOnce = broker.calls.length
    await deliverAll()

    expect([callsAtOnce, broker.calls.length]).toEqual([0, 1])
  })

  it("fills batches up to batchSize", async () => {
    const { sink, deliverAll } = sinkUnderTest({ batchSize: 40 })
    const broker = scriptedBatchBroker()
    sink.registerBroker("audit", broker)

    sink.accept(deviceEvents(100))
    await deliverAll()

    expect(broker.calls.map((call) => call.length)).toEqual([40, 40, 20])
  })

  it("ends a batch early when its events are large", async () => {
    const { sink, deliverAll } = sinkUnderTest()
    const broker = scriptedBatchBroker()
    sink.registerBroker("audit", broker)

    sink.accept(numbers(5).map((number) => deviceEvent(number, { sizeBytes: 3 * 1024 * 1024 })))
    await deliverAll()

    expect(broker.calls).toEqual([[1, 2], [3, 4], [5]])
  })

  it("makes one call at a time", async () => {
    const { sink, deliverAll } = sinkUnderTest()
    let running = 0
    let mostRunning = 0
    const publish = async (): Promise<void> => {
      mostRunning = Math.max(mostRunning, ++running)
      await new Promise((resolve) => setImmediate(resolve))
      running--
    }
    sink.registerBroker("audit", { publish })

    sink.accept(deviceEvents(5))
    sink.accept(deviceEvents(5, 6))
    await deliverAll()

    expect(mostRunning).toBe(1)
  })

  it("retries a refused event before anything newer goes", async () => {
    const { sink, deliverAll } = sinkUnderTest()
    const broker = scriptedBroker((number, call) => (number === 2 && call < 5 ? new Error("busy") : undefined))
    sink.registerBroker("audit", broker)

    sink.accept(deviceEvents(4))
    await deliverAll()

    expect(broker.calls.flat()).toEqual([1, 2, 2, 2, 2, 3, 4])
    expect(broker.accepted).toEqual([1, 2, 3, 4])
  })

  it("retries only what a batch's results refuse, alone, before anything newer", async () => {
    const { sink, deliverAll } = sinkUnderTest({ batchSize: 4 })
    const broker = scriptedBatchBroker((number, call) =>
      call === 1 && number % 2 === 0 ? new Error("busy") : undefined,
    )
    sink.registerBroker("audit", broker)

    sink.accept(deviceEvents(6))
    await deliverAll()

    expect(broker.calls).toEqual([[1, 2, 3, 4], [2], [4], [5, 6]])
    expect(broker.accepted.toSorted()).toEqual(numbers(6))
  })

  it("gives up a poisoned message and goes on in order", async () => {
    const { sink, report, deliverAll } = sinkUnderTest({ maxAttempts: 3 })
    const broker = scriptedBroker((number) => (number === 3 ? new Error("poison") : undefined))
    sink.registerBroker("audit", broker)

    sink.accept(deviceEvents(5))
    await deliverAll()

    expect(broker.accepted).toEqual([1, 2, 4, 5])
    expect(report.codes).toEqual(["PUBLISH_FAILED"])
    expect(report.errors[0]?.details).toMatchObject({ about: "audit", eventId: "event-3", attempts: 3 })
  })

  it("does not take a batch along with the message that makes publishBatch throw", async () => {
    const { sink, deliverAll } = sinkUnderTest()
    const accepted: number[] = []
    const publishBatch = async (messages: readonly { id: string }[]) => {
      if (messages.some(({ id }) => id === "event-3")) throw new Error("cannot encode")
      accepted.push(...numbersOf(messages))
      return messages.map(() => ({ accepted: true }) as const)
    }
    sink.registerBroker("audit", { publish: () => Promise.reject(new Error("it has batches")), publishBatch })

    sink.accept(deviceEvents(8))
    await deliverAll()

    expect(accepted).toEqual([1, 2, 4, 5, 6, 7, 8])
    expect(sink.status().brokers["audit"]).toMatchObject({ delivered: 7, failed: 1, queued: 0 })
  })
})

describe("an event with nothing to send", () => {
  it("is counted failed and reported when it cannot be read, and the others go", async () => {
    const { sink, report, deliverAll } = sinkUnderTest()
    const broker = memoryBroker()
    sink.registerBroker("audit", broker)

    sink.accept([deviceEvent(1), unreadableEvent(2), deviceEvent(3)])
    await deliverAll()

    expect(numbersOf(broker.messages)).toEqual([1, 3])
    expect(report.errors[0]).toMatchObject({
      code: "EVENT_UNSERIALIZABLE",
      details: { about: "audit", eventId: "event-2" },
    })
    expect(sink.status().brokers["audit"]).toMatchObject({ delivered: 2, failed: 1 })
  })

  it("is counted failed for the broker whose format throws, and goes to the other", async () => {
    const { sink, deliverAll } = sinkUnderTest()
    const format = () => {
      throw new Error("no such attribute")
    }
    sink.registerBroker("audit", memoryBroker(), { format })
    sink.registerBroker("search", memoryBroker())

    sink.accept(deviceEvents(2))
    await deliverAll()

    const { audit, search } = sink.status().brokers
    expect([audit?.failed, search?.delivered]).toEqual([2, 2])
  })

  it.each([
    ["a text", () => "no message"],
    ["a rejected promise", () => Promise.reject(new Error("async format"))],
    ["a message without a body", () => ({ id: "event-1" })],
  ])("is counted failed when the format gives %s", async (_, format) => {
    const { sink, report, deliverAll } = sinkUnderTest()
    sink.registerBroker("audit", memoryBroker(), { format: format as never })

    sink.accept(deviceEvents(1))
    await deliverAll()

    expect(report.codes).toEqual(["EVENT_UNSERIALIZABLE"])
  })

  it("is skipped when nothing differs, or when the format has no message for it", async () => {
    const { sink, report, deliverAll } = sinkUnderTest()
    sink.registerBroker("audit", memoryBroker())
    sink.registerBroker("search", memoryBroker(), { format: () => undefined })

    sink.accept([deviceEvent(1, { resolve: () => undefined }), deviceEvent(2)])
    await deliverAll()

    const { audit, search } = sink.status().brokers
    expect(audit).toMatchObject({ delivered: 1, skipped: 1, failed: 0, queued: 0 })
    expect(search).toMatchObject({ delivered: 0, skipped: 2, failed: 0, queued: 0 })
    expect(report.errors).toEqual([])
  })
})
