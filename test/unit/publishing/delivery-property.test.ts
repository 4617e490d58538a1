import fc from "fast-check"
import { ChangeEventsError } from "../../../src/errors"
import type { PendingEvent } from "../../../src/events/sink"
import { deviceEvent, unreadableEvent } from "./support/device-events"
import { scriptedBatchBroker, scriptedBroker, type Script } from "./support/scripted-broker"
import { sinkUnderTest } from "./support/sink-under-test"

/** What a broker answers, one after the other, whatever it is asked; then it accepts everything. */
const answers = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.constant(undefined) },
    fc.constant(new Error("busy")),
    fc.constant(new ChangeEventsError("BROKER_UNAVAILABLE", "not connected")),
    fc.constant(new ChangeEventsError("MESSAGE_TOO_LARGE", "too large", { retryable: false })),
  ),
  { maxLength: 200 },
)
const transactions = fc.array(fc.array(fc.constantFrom("good", "unreadable", "unchanged"), { maxLength: 8 }), {
  maxLength: 12,
})
const delivery = fc.record({
  batchSize: fc.integer({ min: 1, max: 10 }),
  maxAttempts: fc.integer({ min: 1, max: 4 }),
  circuitThreshold: fc.integer({ min: 1, max: 4 }),
  maxQueuedEvents: fc.integer({ min: 1, max: 60 }),
})

function scriptOf(outcomes: readonly unknown[]): Script {
  let answered = 0
  return () => outcomes[answered++]
}

function eventOf(kind: string, number: number): PendingEvent {
  if (kind === "unreadable") return unreadableEvent(number)
  return deviceEvent(number, kind === "unchanged" ? { resolve: () => undefined } : {})
}

describe("whatever a broker answers", () => {
  it.each([
    ["without batches", scriptedBroker],
    ["with batches", scriptedBatchBroker],
  ])("every event ends in exactly one count, %s", async (_, createBroker) => {
    const property = fc.asyncProperty(transactions, answers, delivery, async (kinds, outcomes, options) => {
      const { sink, deliverAll } = sinkUnderTest(options)
      const broker = createBroker(scriptOf(outcomes))
      sink.registerBroker("audit", broker)
      let number = 0

      for (const transaction of kinds) sink.accept(transaction.map((kind) => eventOf(kind, ++number)))
      await deliverAll()

      const status = sink.status().brokers["audit"]
      expect(status).toMatchObject({ queued: 0, queuedBytes: 0, lagMs: 0, delivered: broker.accepted.length })
      expect((status?.delivered ?? 0) + (status?.failed ?? 0) + (status?.dropped ?? 0) + (status?.skipped ?? 0)).toBe(
        number,
      )
      expect(new Set(broker.accepted).size).toBe(broker.accepted.length)
    })

    await fc.assert(property, { numRuns: 100 })
  })

  it("events are accepted in order by a broker without batches", async () => {
    const property = fc.asyncProperty(transactions, answers, delivery, async (kinds, outcomes, options) => {
      const { sink, deliverAll } = sinkUnderTest(options)
      const broker = scriptedBroker(scriptOf(outcomes))
      sink.registerBroker("audit", broker)
      let number = 0

      for (const transaction of kinds) sink.accept(transaction.map((kind) => eventOf(kind, ++number)))
      await deliverAll()

      expect(broker.accepted).toEqual([...broker.accepted].sort((one, other) => one - other))
    })

    await fc.assert(property, { numRuns: 100 })
  })

  it("only a refusal out of the same batch lets a newer event overtake", async () => {
    const property = fc.asyncProperty(answers, delivery, async (outcomes, options) => {
      const { sink, deliverAll } = sinkUnderTest(options)
      const broker = scriptedBatchBroker(scriptOf(outcomes))
      sink.registerBroker("audit", broker)

      sink.accept(Array.from({ length: 50 }, (_, index) => deviceEvent(index + 1)))
      await deliverAll()

      const retried = broker.calls.filter(
        (call, index) => index > 0 && (call[0] as number) <= newestBefore(broker.calls, index),
      )
      expect(retried.every((call) => call.length === 1)).toBe(true)
    })

    await fc.assert(property, { numRuns: 100 })
  })
})

function newestBefore(calls: readonly (readonly number[])[], index: number): number {
  return Math.max(...calls.slice(0, index).flat())
}
