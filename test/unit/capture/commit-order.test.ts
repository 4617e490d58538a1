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
    const own = order.expect(device)
    order.expect(site)
    order.answer(own, batch("alone", 1))

    expect(released).toEqual(["alone"])
  })

  it("puts an answer that came too late before its successor", () => {
    const [first, second] = [order.expect(device), order.expect(device)]
    order.answer(second, batch("second", 2))
    expect(released).toEqual([])
    order.answer(first, batch("first", 1))

    expect(released).toEqual(["first", "second"])
  })

  it("does not wait for what was sent after the answer came", () => {
    const [first, second] = [order.expect(device), order.expect(device)]
    order.answer(second, batch("second", 2))
    const third = order.expect(device)
    order.answer(first, undefined)
    expect(released).toEqual(["second"])
    order.answer(third, batch("third", 3))

    expect(released).toEqual(["second", "third"])
  })

  it("lets a commit of other entities pass one that waits", () => {
    const [slow, waiting, other] = [order.expect(device), order.expect(device), order.expect(site)]
    order.answer(waiting, batch("waiting", 1))
    order.answer(other, batch("other", 2, site))
    expect(released).toEqual(["other"])
    order.answer(slow, undefined)

    expect(released).toEqual(["other", "waiting"])
  })

  it("waits a tenth of a second at most, for a statement that waits for a lock itself", async () => {
    order.expect(device)
    order.answer(order.expect(device), batch("held", 1))
    const heldAt = performance.now()
    await order.settled()

    expect(released).toEqual(["held"])
    expect(performance.now() - heldAt).toBeGreaterThan(50)
  })
})
