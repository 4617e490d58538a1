import { BoundedQueue } from "../../../src/publishing/bounded-queue"
import { deviceEvent } from "./support/device-events"

const limits = { maxQueuedEvents: 10_000, maxQueuedBytes: 1_000_000 }

describe("the bounded queue", () => {
  it("gives events in the order they came, over many rounds", () => {
    const queue = new BoundedQueue(limits)
    const taken: (number | undefined)[] = []

    for (let number = 1; number <= 6_000; number++) {
      queue.push(deviceEvent(number), 0)
      queue.push(deviceEvent(-number), 0)
      const entry = queue.take()
      taken.push(entry?.sequence)
      if (entry !== undefined) queue.release(entry)
    }

    expect(taken).toEqual(Array.from({ length: 6_000 }, (_, index) => index + 1))
    expect([queue.count, queue.bytes]).toEqual([6_000, 600_000])
  })

  it("counts a taken event until it is released", () => {
    const queue = new BoundedQueue({ maxQueuedEvents: 1, maxQueuedBytes: 1_000 })
    queue.push(deviceEvent(1), 0)

    const entry = queue.take()
    const hasRoomWhileTaken = queue.push(deviceEvent(2), 0)
    if (entry !== undefined) queue.release(entry)

    expect([hasRoomWhileTaken, queue.push(deviceEvent(3), 0)]).toEqual([false, true])
  })

  it("lets in nothing larger than all its room", () => {
    const queue = new BoundedQueue({ maxQueuedEvents: 10, maxQueuedBytes: 99 })

    expect(queue.push(deviceEvent(1), 0)).toBe(false)
  })

  it("forgets only what was not taken", () => {
    const queue = new BoundedQueue(limits)
    for (let number = 1; number <= 5; number++) queue.push(deviceEvent(number), 0)
    queue.take()

    expect([queue.clear(), queue.count, queue.take()]).toEqual([4, 1, undefined])
  })
})
