import { CommitOrder } from "../../../src/capture/commit-order"
import { TransactionLog, type TransactionLimits } from "../../../src/capture/transaction-log"
import type { ChangeEventsError } from "../../../src/errors"
import type { PendingEvent } from "../../../src/events/sink"

const entity = {}

function logWith(limits: Partial<TransactionLimits>) {
  const released: string[] = []
  const reports: ChangeEventsError[] = []
  const order = new CommitOrder({ accept: (events) => void released.push(...events.map((event) => event.id)) })
  const log = new TransactionLog({
    order,
    report: (error) => void reports.push(error),
    limits: { maxEvents: 100, maxBytes: 10_000, ...limits },
  })
  return { log, released, reports }
}

function events(...ids: string[]): PendingEvent[] {
  return ids.map((id) => ({ id, topic: id, sizeBytes: 100, resolve: () => undefined }))
}

describe("the events of an open transaction", () => {
  it.each([
    ["maxEvents", { maxEvents: 2 }],
    ["maxBytes", { maxBytes: 250 }],
  ])("are held up to %s, and what came after is reported when it commits", (_, limits) => {
    const { log, released, reports } = logWith(limits)
    log.settle("BEGIN", [{ command: "BEGIN" }], "T")
    log.add(events("a", "b", "c", "d"), entity, 1)
    log.settle("UPDATE", [{ command: "UPDATE" }], "T")
    log.settle("COMMIT", [{ command: "COMMIT" }], "I")

    expect(released).toEqual(["a", "b"])
    expect(reports).toMatchObject([{ code: "WRITE_UNCAPTURED", details: { count: 2 } }])
  })

  it("make room when they are rolled back to a savepoint", () => {
    const { log, released, reports } = logWith({ maxBytes: 200 })
    log.settle("BEGIN", [{ command: "BEGIN" }], "T")
    log.settle("SAVEPOINT s", [{ command: "SAVEPOINT" }], "T")
    log.add(events("undone", "undone too"), entity, 1)
    log.settle("ROLLBACK TO s", [{ command: "ROLLBACK" }], "T")
    log.add(events("a", "b"), entity, 2)
    log.settle("COMMIT", [{ command: "COMMIT" }], "I")

    expect(released).toEqual(["a", "b"])
    expect(reports).toEqual([])
  })

  it("are dropped silently with their connection, unless a COMMIT was under way", () => {
    const { log, released, reports } = logWith({})
    log.settle("BEGIN", [{ command: "BEGIN" }], "T")
    log.add(events("lost"), entity, 1)
    log.lose()
    expect(reports).toEqual([])

    log.settle("BEGIN", [{ command: "BEGIN" }], "T")
    log.add(events("unknown"), entity, 1)
    log.send("COMMIT")
    log.lose()

    expect(released).toEqual([])
    expect(reports.map((error) => error.code)).toEqual(["COMMIT_OUTCOME_UNKNOWN"])
  })
})
