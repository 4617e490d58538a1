import type { PendingEvent } from "../../../src/events/sink"
import { record } from "../../../src/formats/record"
import { createMessageCache } from "../../../src/publishing/message-cache"
import { memoryBroker } from "../../../src/brokers/memory"
import { deviceEvent } from "./support/device-events"
import { sinkUnderTest } from "./support/sink-under-test"

function countingEvent(
  number: number,
  overrides: Partial<PendingEvent> = {},
): PendingEvent & { readonly reads: number } {
  const event = deviceEvent(number, overrides)
  let reads = 0
  const resolve = () => {
    reads++
    return event.resolve()
  }
  return Object.defineProperty({ ...event, resolve, reads }, "reads", { get: () => reads })
}

describe("the message cache", () => {
  it("reads an event once, and formats it once for each format", () => {
    const cache = createMessageCache()
    const event = countingEvent(1)
    const [format, other] = [jest.fn(record()), jest.fn(record())]

    const messages = [format, other, format, other, format].map((each) => cache.messageFor(event, each))

    expect([event.reads, format.mock.calls.length, other.mock.calls.length]).toEqual([1, 1, 1])
    expect(messages[4]).toBe(messages[0])
  })

  it("remembers that there is nothing to send", () => {
    const cache = createMessageCache()
    const event = deviceEvent(1)
    const format = jest.fn(() => undefined)

    cache.messageFor(event, format)
    cache.messageFor(event, format)

    expect(format).toHaveBeenCalledTimes(1)
  })

  it("forgets the oldest beyond 1,000 events, which are then read again", () => {
    const cache = createMessageCache()
    const format = record()
    const first = countingEvent(1)
    const second = countingEvent(2)

    cache.messageFor(first, format)
    cache.messageFor(second, format)
    for (let number = 3; number <= 1_001; number++) cache.messageFor(deviceEvent(number), format)
    cache.messageFor(second, format)
    cache.messageFor(first, format)

    expect([first.reads, second.reads]).toEqual([2, 1])
  })

  it("forgets the oldest beyond 8 MiB", () => {
    const cache = createMessageCache()
    const format = record()
    const first = countingEvent(1, { sizeBytes: 5 * 1024 * 1024 })

    cache.messageFor(first, format)
    cache.messageFor(deviceEvent(2, { sizeBytes: 5 * 1024 * 1024 }), format)
    cache.messageFor(first, format)

    expect(first.reads).toBe(2)
  })

  it("serves three brokers of one format from one serialization", async () => {
    const { sink, deliverAll } = sinkUnderTest()
    const event = countingEvent(1)
    for (const name of ["audit", "search", "billing"]) sink.registerBroker(name, memoryBroker())

    sink.accept([event])
    await deliverAll()

    expect(event.reads).toBe(1)
  })
})
