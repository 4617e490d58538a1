import { spawn } from "node:child_process"
import { once } from "node:events"
import path from "node:path"
import { memoryBroker } from "../../../src/brokers/memory"
import { deviceEvents, numbersOf } from "./support/device-events"
import { hangingBroker, scriptedBroker } from "./support/scripted-broker"
import { sinkUnderTest } from "./support/sink-under-test"

describe("flush", () => {
  it("resolves at once when nothing waits", async () => {
    const { sink, clock } = sinkUnderTest()
    sink.registerBroker("audit", memoryBroker())

    await sink.flush()

    expect(clock.delays).toEqual([])
  })

  it("waits for what was accepted before the call only", async () => {
    const { sink, clock } = sinkUnderTest()
    const answers: (() => void)[] = []
    sink.registerBroker("audit", { publish: () => new Promise((resolve) => answers.push(resolve)) })
    sink.accept(deviceEvents(1))

    const flushed = sink.flush()
    sink.accept(deviceEvents(1, 2))
    await clock.advance(0)
    answers.shift()?.()
    await flushed

    expect(sink.status().brokers["audit"]).toMatchObject({ delivered: 1, queued: 1 })
  })

  it("waits for a refused event, also when newer ones of its batch are accepted", async () => {
    const { sink, clock } = sinkUnderTest({ retryDelayMs: 1_000 })
    let refusals = 1
    const publishBatch = async (messages: readonly { id: string }[]) =>
      messages.map(({ id }) =>
        id === "event-1" && refusals-- > 0
          ? ({ accepted: false, error: new Error("busy") } as const)
          : ({ accepted: true } as const),
      )
    sink.registerBroker("audit", { publish: () => Promise.resolve(), publishBatch })
    let isFlushed = false

    sink.accept(deviceEvents(1))
    const flushed = sink.flush().then(() => (isFlushed = true))
    sink.accept(deviceEvents(5, 2))
    await clock.advance(0)
    const isFlushedEarly = isFlushed
    await clock.drive(flushed)

    expect([isFlushedEarly, sink.status().brokers["audit"]?.delivered]).toEqual([false, 6])
  })

  it("counts failed and dropped events as done", async () => {
    const { sink, clock } = sinkUnderTest({ maxAttempts: 1, maxQueuedEvents: 2 })
    sink.registerBroker(
      "audit",
      scriptedBroker(() => new Error("busy")),
    )

    sink.accept(deviceEvents(5))
    await clock.drive(sink.flush())

    expect(sink.status().brokers["audit"]).toMatchObject({ failed: 2, dropped: 3, queued: 0 })
  })

  it("rejects after its timeout, and says how much each broker has still to get", async () => {
    const { sink, clock } = sinkUnderTest()
    sink.registerBroker("audit", hangingBroker())
    sink.registerBroker("search", memoryBroker())
    sink.on("*", () => new Promise(() => undefined))
    sink.accept(deviceEvents(3))

    const flushed = sink.flush({ timeoutMs: 2_000 })

    await expect(clock.drive(flushed)).rejects.toMatchObject({
      code: "FLUSH_TIMEOUT",
      message: "events still wait after 2000 ms: broker audit 3, listeners 3",
      details: { timeoutMs: 2_000, pending: { audit: 3 }, pendingListeners: 3 },
    })
  })
})

describe("close", () => {
  it("delivers what waits, then closes each broker once", async () => {
    const { sink, clock } = sinkUnderTest()
    const broker = memoryBroker()
    const close = jest.spyOn(broker, "close")
    sink.registerBroker("audit", broker)
    sink.registerBroker("search", broker)
    sink.accept(deviceEvents(500))

    await clock.drive(Promise.all([sink.close(), sink.close()]))
    await sink.close()

    expect(numbersOf(broker.messages)).toHaveLength(1_000)
    expect(close).toHaveBeenCalledTimes(1)
    expect(sink.status().brokers["audit"]).toMatchObject({ state: "closed", delivered: 500 })
  })

  it("drops, counts and reports what a broker does not take in time", async () => {
    const { sink, clock, report } = sinkUnderTest()
    sink.registerBroker("audit", hangingBroker())
    sink.accept(deviceEvents(3))

    await clock.drive(sink.close({ timeoutMs: 1_000 }))

    expect(report.errors[0]).toMatchObject({ code: "FLUSH_TIMEOUT", details: { pending: { audit: 3 } } })
    expect(sink.status().brokers["audit"]).toMatchObject({ state: "closed", dropped: 3, queued: 0, queuedBytes: 0 })
  })

  it.each([
    ["hangs", () => new Promise<void>(() => undefined)],
    ["rejects", () => Promise.reject(new Error("half closed"))],
    [
      "throws",
      () => {
        throw new Error("half closed")
      },
    ],
  ])("is not held up by a broker whose close %s, and closes the others", async (_, close) => {
    const { sink, clock, report } = sinkUnderTest()
    const healthy = jest.fn(() => Promise.resolve())
    sink.registerBroker("audit", { ...memoryBroker(), close })
    sink.registerBroker("search", { ...memoryBroker(), close: healthy })

    await clock.drive(sink.close({ timeoutMs: 1_000 }))

    expect(healthy).toHaveBeenCalledTimes(1)
    expect(report.errors).toMatchObject([{ code: "BROKER_UNAVAILABLE", message: "broker audit did not close" }])
  })

  it("refuses what comes later: events are counted and reported once, registrations throw", async () => {
    const { sink, report } = sinkUnderTest()
    const broker = memoryBroker()
    sink.registerBroker("audit", broker)
    await sink.close()

    sink.accept(deviceEvents(2))
    sink.accept(deviceEvents(3, 3))

    expect(report.codes).toEqual(["CHANGES_CLOSED"])
    expect(sink.status().refusedAfterClose).toBe(5)
    expect(broker.messages).toEqual([])
    expect(() => sink.registerBroker("search", broker)).toThrow(expect.objectContaining({ code: "CHANGES_CLOSED" }))
    expect(() => sink.on("*", () => undefined)).toThrow(expect.objectContaining({ code: "CHANGES_CLOSED" }))
  })
})

describe("the process", () => {
  const run = async (ending: string): Promise<string> => {
    const program = path.join(__dirname, "support", "process-with-a-sink.ts")
    const root = path.join(__dirname, "..", "..", "..")
    const child = spawn(process.execPath, ["--import", "tsx", program, ending], { cwd: root })
    let output = ""
    child.stdout.on("data", (data: Buffer) => (output += data.toString()))
    child.stderr.on("data", (data: Buffer) => (output += data.toString()))
    const [code] = (await once(child, "close")) as [number]
    return `${output}exit ${code}`
  }

  it("ends by itself while a broker is down", async () => {
    expect(await run("without-close")).toBe("exit 0")
  })

  it("lives until close has delivered what is retried", async () => {
    expect(await run("with-close")).toBe("delivered 1\nexit 0")
  })
})
