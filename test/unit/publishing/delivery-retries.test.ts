import { ChangeEventsError } from "../../../src/errors"
import { deviceEvent, deviceEvents } from "./support/device-events"
import { scriptedBatchBroker, scriptedBroker } from "./support/scripted-broker"
import { sinkUnderTest } from "./support/sink-under-test"

const HOUR_MS = 3_600_000
const unavailable = (): Error => new ChangeEventsError("BROKER_UNAVAILABLE", "not connected")
const systemError = (code: string): Error => Object.assign(new Error(`connect ${code}`), { code })

describe("retries", () => {
  it("end after maxAttempts calls, counted and reported once", async () => {
    const { sink, report, deliverAll } = sinkUnderTest({ maxAttempts: 4, circuitThreshold: 100 })
    const broker = scriptedBroker(() => new Error("busy"))
    sink.registerBroker("audit", broker)

    sink.accept(deviceEvents(2))
    await deliverAll()

    expect(broker.calls.flat()).toEqual([1, 1, 1, 1, 2, 2, 2, 2])
    expect(report.codes).toEqual(["PUBLISH_FAILED", "PUBLISH_FAILED"])
    expect(sink.status().brokers["audit"]).toMatchObject({ delivered: 0, failed: 2, queued: 0, queuedBytes: 0 })
  })

  it("wait longer each time, within the bounds", async () => {
    const { sink, clock } = sinkUnderTest({ maxAttempts: 7, circuitThreshold: 100, maxRetryDelayMs: 500 })
    const pauses: number[] = []
    const broker = scriptedBroker(() => new Error("busy"))
    sink.registerBroker("audit", broker)

    sink.accept(deviceEvents(1))
    await clock.advance(0)
    for (let [pause] = clock.delays; pause !== undefined; [pause] = clock.delays) {
      pauses.push(pause)
      await clock.advance(pause)
    }

    const bounds = [100, 200, 400, 500, 500, 500]
    expect(pauses.map((pause, index) => pause >= (bounds[index] ?? 0) / 2 && pause <= (bounds[index] ?? 0))).toEqual(
      bounds.map(() => true),
    )
    expect(broker.calls).toHaveLength(7)
  })

  it("show as the state retrying", async () => {
    const { sink, clock } = sinkUnderTest()
    sink.registerBroker(
      "audit",
      scriptedBroker((_, call) => (call === 1 ? new Error("busy") : undefined)),
    )

    sink.accept(deviceEvents(1))
    await clock.advance(0)
    const between = sink.status().brokers["audit"]?.state
    await clock.advance(100)

    expect([between, sink.status().brokers["audit"]?.state]).toEqual(["retrying", "idle"])
  })

  it("are not made for an error that is not retryable", async () => {
    const { sink, report, deliverAll } = sinkUnderTest()
    const tooLarge = new ChangeEventsError("MESSAGE_TOO_LARGE", "1 MiB at most", { retryable: false })
    const broker = scriptedBroker((number) => (number === 1 ? tooLarge : undefined))
    sink.registerBroker("audit", broker)

    sink.accept(deviceEvents(2))
    await deliverAll()

    expect(broker.calls.flat()).toEqual([1, 2])
    expect(report.errors[0]).toMatchObject({ code: "PUBLISH_FAILED", cause: tooLarge, details: { attempts: 1 } })
    expect(sink.status().brokers["audit"]?.lastError).toMatchObject({
      code: "MESSAGE_TOO_LARGE",
      message: "1 MiB at most",
    })
  })

  it.each([
    ["BROKER_UNAVAILABLE", unavailable()],
    ["ECONNREFUSED", systemError("ECONNREFUSED")],
    ["a fetch that failed with ENOTFOUND", new TypeError("fetch failed", { cause: systemError("ENOTFOUND") })],
  ])("last as long as an outage does: %s takes no attempt", async (_, error) => {
    const { sink, report, deliverAll } = sinkUnderTest({ maxAttempts: 2 })
    const broker = scriptedBatchBroker((_number, call) => (call <= 200 ? error : undefined))
    sink.registerBroker("audit", broker)

    sink.accept(deviceEvents(10))
    await deliverAll()

    expect(broker.accepted).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
    expect(report.codes).toEqual(["BROKER_UNAVAILABLE"])
  })

  it("end for a message that makes the broker hang up", async () => {
    const { sink, deliverAll } = sinkUnderTest()
    const broker = scriptedBroker((number) => (number === 1 ? systemError("ECONNRESET") : undefined))
    sink.registerBroker("audit", broker)

    sink.accept(deviceEvents(2))
    await deliverAll()

    expect(broker.calls.flat()).toEqual([1, 1, 1, 1, 1, 2])
  })
})

describe("the circuit", () => {
  it("opens after circuitThreshold failed calls, and the broker is left alone until the pause is over", async () => {
    const { sink, clock, report } = sinkUnderTest({ circuitThreshold: 3, retryDelayMs: 1_000 })
    const broker = scriptedBroker(() => unavailable())
    sink.registerBroker("audit", broker)

    sink.accept(deviceEvents(1))
    // With jitter the third call comes within 3 s, the fourth not before 3.5 s.
    await clock.advance(3_000)
    const callsWhenOpen = broker.calls.length
    sink.accept(deviceEvents(5, 2))
    await clock.advance(0)

    expect([callsWhenOpen, broker.calls.length]).toEqual([3, 3])
    expect(sink.status().brokers["audit"]).toMatchObject({ state: "open", queued: 6 })
    expect(report.errors[0]?.details).toMatchObject({ about: "audit", failedCalls: 3 })
  })

  it("lets one message through after the pause, which opens it again or closes it", async () => {
    const { sink, clock } = sinkUnderTest({ circuitThreshold: 1, retryDelayMs: 1_000 })
    const answers: ((error?: Error) => void)[] = []
    const publish = (): Promise<void> =>
      new Promise((resolve, reject) => answers.push((error) => (error ? reject(error) : resolve())))
    sink.registerBroker("audit", { publish })
    const states: (string | undefined)[] = []
    const note = (): number => states.push(sink.status().brokers["audit"]?.state)
    const answer = async (error?: Error): Promise<void> => {
      await clock.advance(2_000)
      note()
      answers.shift()?.(error)
      await clock.advance(0)
      note()
    }

    sink.accept(deviceEvents(1))
    await answer(unavailable())
    await answer(unavailable())
    await answer()

    expect(states).toEqual(["delivering", "open", "half-open", "open", "half-open", "idle"])
  })

  it("probes with a single message, also when the broker takes batches", async () => {
    const { sink, deliverAll } = sinkUnderTest({ circuitThreshold: 1, maxAttempts: 1, batchSize: 2 })
    const broker = scriptedBatchBroker((_, call) => (call === 1 ? new Error("busy") : undefined))
    sink.registerBroker("audit", broker)

    sink.accept(deviceEvents(5))
    await deliverAll()

    expect(broker.calls).toEqual([[1, 2], [3], [4, 5]])
  })

  it("keeps its pause when nothing waits any more", async () => {
    const { sink, clock } = sinkUnderTest({ circuitThreshold: 1, maxAttempts: 1, retryDelayMs: 1_000 })
    const broker = scriptedBroker((number) => (number === 1 ? new Error("busy") : undefined))
    sink.registerBroker("audit", broker)

    sink.accept(deviceEvents(1))
    await clock.advance(0)
    sink.accept([deviceEvent(2)])
    await clock.advance(499)
    const callsInPause = broker.calls.length
    await clock.advance(501)

    expect([callsInPause, broker.calls.length]).toEqual([1, 2])
  })

  it("stays closed for a broker that judges each message for good", async () => {
    const { sink, report, deliverAll } = sinkUnderTest()
    const broker = scriptedBroker(() => Object.assign(new Error("too large"), { retryable: false }))
    sink.registerBroker("audit", broker)

    sink.accept(deviceEvents(20))
    await deliverAll()

    expect(sink.status().brokers["audit"]).toMatchObject({ state: "idle", failed: 20 })
    expect(new Set(report.codes)).toEqual(new Set(["PUBLISH_FAILED"]))
  })

  it("delivers everything in order after an outage of an hour, with few calls in between", async () => {
    const { sink, clock, deliverAll } = sinkUnderTest()
    const endsAt = clock.now() + HOUR_MS
    const broker = scriptedBatchBroker(() => (clock.now() < endsAt ? unavailable() : undefined))
    sink.registerBroker("audit", broker)

    sink.accept(deviceEvents(1_000))
    await deliverAll()

    expect(broker.accepted).toEqual(Array.from({ length: 1_000 }, (_, index) => index + 1))
    expect(broker.calls.length).toBeLessThan(500)
  })
})
