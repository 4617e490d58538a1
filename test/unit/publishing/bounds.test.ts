import { monitorEventLoopDelay } from "node:perf_hooks"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { memoryBroker } from "../../../src/brokers/memory"
import { ChangeEventsError } from "../../../src/errors"
import type { EventSink } from "../../../src/events/sink"
import { createDirectSink } from "../../../src/publishing/direct-sink"
import { deviceEvent, deviceEvents, numbersOf } from "./support/device-events"
import { workIsDone } from "./support/fake-clock"
import { recordingReport } from "./support/recording-report"
import { hangingBroker, scriptedBroker } from "./support/scripted-broker"
import { sinkUnderTest } from "./support/sink-under-test"

describe("the queue of a broker", () => {
  it("drops the newest beyond maxQueuedEvents, counted and reported", async () => {
    const { sink, report, deliverAll } = sinkUnderTest({ maxQueuedEvents: 3 })
    const broker = memoryBroker()
    sink.registerBroker("audit", broker)

    sink.accept(deviceEvents(5))
    await deliverAll()

    expect(numbersOf(broker.messages)).toEqual([1, 2, 3])
    expect(sink.status().brokers["audit"]).toMatchObject({ delivered: 3, dropped: 2 })
    expect(report.errors[0]).toMatchObject({ code: "QUEUE_FULL", details: { about: "audit", droppedCount: 2 } })
  })

  it("drops the newest beyond maxQueuedBytes", async () => {
    const { sink, report } = sinkUnderTest({ maxQueuedBytes: 1_000 })
    sink.registerBroker("audit", hangingBroker())

    sink.accept([
      deviceEvent(1, { sizeBytes: 600 }),
      deviceEvent(2, { sizeBytes: 600 }),
      deviceEvent(3, { sizeBytes: 400 }),
    ])

    expect(sink.status().brokers["audit"]).toMatchObject({ queued: 2, queuedBytes: 1_000, dropped: 1 })
    expect(report.codes).toEqual(["QUEUE_FULL"])
  })

  it("counts what is in flight", async () => {
    const { sink, clock } = sinkUnderTest({ maxQueuedEvents: 2 })
    sink.registerBroker("audit", hangingBroker())

    sink.accept(deviceEvents(2))
    await clock.advance(0)
    sink.accept(deviceEvents(1, 3))

    expect(sink.status().brokers["audit"]).toMatchObject({ queued: 2, dropped: 1 })
  })

  it("has room again for what comes after a delivery", async () => {
    const { sink, deliverAll } = sinkUnderTest({ maxQueuedEvents: 2 })
    const broker = memoryBroker()
    sink.registerBroker("audit", broker)

    for (let first = 1; first < 7; first += 2) {
      sink.accept(deviceEvents(2, first))
      await deliverAll()
    }

    expect(numbersOf(broker.messages)).toEqual([1, 2, 3, 4, 5, 6])
  })

  it("is bounded while the broker is down, and reports each transaction at most once", async () => {
    const { sink, clock, report } = sinkUnderTest({ maxQueuedEvents: 1_000 })
    sink.registerBroker(
      "audit",
      scriptedBroker(() => new ChangeEventsError("BROKER_UNAVAILABLE", "not connected")),
    )

    for (let transaction = 0; transaction < 100; transaction++) {
      sink.accept(deviceEvents(1_000, transaction * 1_000 + 1))
      await clock.advance(60_000)
    }

    expect(sink.status().brokers["audit"]).toMatchObject({ queued: 1_000, queuedBytes: 100_000, dropped: 99_000 })
    expect(report.codes.filter((code) => code === "QUEUE_FULL")).toHaveLength(99)
  })

  it("lets go of the events it drops", async () => {
    const { sink, clock } = sinkUnderTest({ maxQueuedEvents: 10 })
    sink.registerBroker("audit", hangingBroker())

    const events = acceptOneByOne(sink, 1_000)
    await clock.advance(0)
    await collectGarbage()

    expect(events.filter((event) => event.deref() !== undefined).length).toBeLessThanOrEqual(11)
  })
})

describe("a burst of 100,000 events", () => {
  it.each([
    ["with batches", memoryBroker],
    ["without batches", scriptedBroker],
  ])("reaches a broker %s completely, and the event loop is never blocked for long", async (_, createBroker) => {
    const sink = createDirectSink({ report: recordingReport() })
    sink.registerBroker("audit", createBroker())
    const events = deviceEvents(100_000)
    const delay = monitorEventLoopDelay({ resolution: 1 })

    sink.accept(events)
    await new Promise((resolve) => setImmediate(resolve))
    delay.enable()
    await sink.flush({ timeoutMs: 30_000 })
    delay.disable()

    expect(sink.status().brokers["audit"]).toMatchObject({ delivered: 100_000, failed: 0, dropped: 0, queued: 0 })
    // A loose bound: the machine may be busy with other things. Unsliced it is a second.
    expect(delay.percentile(99) / 1e6).toBeLessThan(200)
  })
})

/** In a function of its own, so that none of the events is left in a variable. */
function acceptOneByOne(sink: EventSink, count: number): WeakRef<object>[] {
  return Array.from({ length: count }, (_, index) => {
    const event = deviceEvent(index + 1)
    sink.accept([event])
    return new WeakRef(event)
  })
}

async function collectGarbage(): Promise<void> {
  setFlagsFromString("--expose-gc")
  const collect = runInNewContext("gc") as () => void
  // A WeakRef holds on to its object until the turn of the event loop that made it is over.
  await workIsDone()
  collect()
}
