import { CommitOrder, type CommittedBatch } from "../../../src/capture/commit-order"
import type { EventSink, PendingEvent } from "../../../src/events/sink"

const device = new Set<object>([{ name: "device" }])
const site = new Set<object>([{ name: "site" }])

describe("the order of commits", () => {
  let released: string[]
  let order: CommitOrder

  beforeEach(() => {
    released = []
    const sink: EventSink = { accept: (events) => void released.push(...events.map((event) => event.id)) }
    order = new CommitOrder(sink)
  })

  function batch(id: string, writtenAt: number, entities: ReadonlySet<object> = device): CommittedBatch {
    const event: PendingEvent = { id, topic: id, sizeBytes: 1, resolve: () => undefined }
    return { events: [event], entities, writtenAt }
  }

  it("lets a batch go at once when nothing else of its entities is under way", () => {
    const own = order.expectCommit(device)
    order.expectCommit(site)
    order.answer(own, batch("alone", 1))

    expect(released).toEqual(["alone"])
  })

  it("puts an answer that came too late before its successor", () => {
    const [first, second] = [order.expectCommit(device), order.expectCommit(device)]
    order.answer(second, batch("second", 2))
    expect(released).toEqual([])
    order.answer(first, batch("first", 1))

    expect(released).toEqual(["first", "second"])
  })

  it("does not wait for what was sent after the answer came", () => {
    const [first, second] = [order.expectCommit(device), order.expectCommit(device)]
    order.answer(second, batch("second", 2))
    const third = order.expectCommit(device)
    order.answer(first, undefined)
    expect(released).toEqual(["second"])
    order.answer(third, batch("third", 3))

    expect(released).toEqual(["second", "third"])
  })

  it("lets a commit of other entities pass one that waits", () => {
    const [slow, waiting, other] = [order.expectCommit(device), order.expectCommit(device), order.expectCommit(site)]
    order.answer(waiting, batch("waiting", 1))
    order.answer(other, batch("other", 2, site))
    expect(released).toEqual(["other"])
    order.answer(slow, undefined)

    expect(released).toEqual(["other", "waiting"])
  })

  it("waits a tenth of a second at most, for a statement that waits for a lock itself", async () => {
    order.expectStatement(device)
    order.answer(order.expectCommit(device), batch("held", 1))
    const heldAt = performance.now()
    await order.settled()

    expect(released).toEqual(["held"])
    expect(performance.now() - heldAt).toBeGreaterThan(50)
  })

  describe("with a clock of its own", () => {
    beforeEach(() => void jest.useFakeTimers())
    afterEach(() => void jest.useRealTimers())

    it("waits for a COMMIT, which waits for no lock, when a busy machine is late with its answer", () => {
      const [slow, waiting] = [order.expectCommit(device), order.expectCommit(device)]
      order.answer(waiting, batch("second", 2))
      jest.advanceTimersByTime(1_500)
      expect(released).toEqual([])
      order.answer(slow, batch("first", 1))

      expect(released).toEqual(["first", "second"])
      expect(jest.getTimerCount()).toBeLessThanOrEqual(1)
    })

    it("gives a COMMIT up that is never answered", () => {
      order.expectCommit(device)
      order.answer(order.expectCommit(device), batch("held", 1))
      jest.advanceTimersByTime(5_000)

      expect(released).toEqual(["held"])
      expect(jest.getTimerCount()).toBe(0)
    })
  })
})
