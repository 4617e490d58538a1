import fc from "fast-check"
import { UnwrittenEvents } from "../../../src/capture/unwritten-events"
import type { PendingEvent } from "../../../src/events/sink"

type Step = "add" | "write" | "savepoint" | { readonly rollBackTo: number } | { readonly release: number }

const steps = fc.array(
  fc.oneof(
    fc.constantFrom<Step>("add", "add", "write", "savepoint"),
    fc.nat(3).map((rollBackTo): Step => ({ rollBackTo })),
    fc.nat(3).map((release): Step => ({ release })),
  ),
  { maxLength: 40 },
)

const pending = (id: string): PendingEvent => ({ id, topic: "t", sizeBytes: 1, resolve: () => undefined })

/** What the database holds: the log's rows and, for each savepoint, what both were when it was made. */
class Database {
  made: string[] = []
  log: string[] = []
  private savepoints: { made: string[]; log: string[] }[] = []

  get depth(): number {
    return this.savepoints.length
  }

  savepoint(): void {
    this.savepoints.push({ made: [...this.made], log: [...this.log] })
  }

  rollBackTo(index: number): void {
    const { made, log } = this.savepoints[index] as { made: string[]; log: string[] }
    Object.assign(this, { made: [...made], log: [...log] })
    this.savepoints.length = index + 1
  }

  release(index: number): void {
    this.savepoints.length = index
  }
}

describe("UnwrittenEvents", () => {
  it("has written exactly what was made and not undone, in order, whatever is written and rolled back when", () => {
    fc.assert(
      fc.property(steps, (taken) => {
        const unwritten = new UnwrittenEvents()
        const database = new Database()
        let count = 0
        for (const step of taken) run(step, unwritten, database, () => String(count++))
        database.log.push(...unwritten.take().map(({ id }) => id))

        expect(database.log).toEqual(database.made)
      }),
      { numRuns: 2_000 },
    )
  })

  it("has nothing left of a transaction that ended", () => {
    const unwritten = new UnwrittenEvents()
    unwritten.add([pending("a")])
    unwritten.savepoint()
    unwritten.take()
    unwritten.reset()
    unwritten.savepoint()
    unwritten.rollBackTo(0)

    expect(unwritten.take()).toEqual([])
  })
})

function run(step: Step, unwritten: UnwrittenEvents, database: Database, nextId: () => string): void {
  if (step === "add") {
    const id = nextId()
    unwritten.add([pending(id)])
    database.made.push(id)
  } else if (step === "write") database.log.push(...unwritten.take().map(({ id }) => id))
  else if (step === "savepoint") {
    unwritten.savepoint()
    database.savepoint()
  } else if ("rollBackTo" in step && step.rollBackTo < database.depth) {
    unwritten.rollBackTo(step.rollBackTo)
    database.rollBackTo(step.rollBackTo)
  } else if ("release" in step && step.release < database.depth) {
    unwritten.release(step.release)
    database.release(step.release)
  }
}
