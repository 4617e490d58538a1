import { memoryBroker } from "../../../src/brokers/memory"
import type { OutgoingEvent } from "../../../src/events/change-event"
import { deviceEvent, deviceEvents, numbersOf } from "./support/device-events"
import { sinkUnderTest } from "./support/sink-under-test"

describe("a listener", () => {
  it("gets the events whose topic matches, in order", async () => {
    const { sink, deliverAll } = sinkUnderTest()
    const heard: OutgoingEvent[] = []
    sink.on("*.dcim.*", (event) => heard.push(event))

    sink.accept([deviceEvent(1), deviceEvent(2, { topic: "update.ipam.ipaddress" }), deviceEvent(3)])
    await deliverAll()

    expect(numbersOf(heard)).toEqual([1, 3])
    expect(heard[0]).toMatchObject({ kind: "change", postchange: { status: "active" } })
  })

  it.each([
    [
      "throws",
      () => {
        throw new Error("index is gone")
      },
    ],
    ["rejects", () => Promise.reject(Object.assign(new Error("index is gone"), { code: "ECONNREFUSED" }))],
  ])("that %s is reported, tried once, and gets the next event; nobody else is affected", async (_, listener) => {
    const { sink, report, deliverAll } = sinkUnderTest()
    const broker = memoryBroker()
    const heard: OutgoingEvent[] = []
    const calls = jest.fn(listener)
    sink.on("*", calls)
    sink.on("*", (event) => heard.push(event))
    sink.registerBroker("audit", broker)

    sink.accept(deviceEvents(20))
    await deliverAll()

    expect(calls).toHaveBeenCalledTimes(20)
    expect(report.codes).toEqual(Array(20).fill("LISTENER_FAILED"))
    expect(report.errors[0]?.details).toMatchObject({ about: 'listener "*"', eventId: "event-1" })
    expect([heard.length, broker.messages.length]).toEqual([20, 20])
  })

  it("is awaited before it gets the next event", async () => {
    const { sink, deliverAll } = sinkUnderTest()
    const log: string[] = []
    sink.on("*", async ({ id }) => {
      log.push(`${id} begins`)
      await new Promise((resolve) => setImmediate(resolve))
      log.push(`${id} ends`)
    })

    sink.accept(deviceEvents(2))
    await deliverAll()

    expect(log).toEqual(["event-1 begins", "event-1 ends", "event-2 begins", "event-2 ends"])
  })

  it("that never ends is reported after publishTimeoutMs and gets the next event", async () => {
    const { sink, report, deliverAll } = sinkUnderTest({ publishTimeoutMs: 1_000 })
    const hanging = jest.fn(() => new Promise(() => undefined))
    sink.on("*", hanging)

    sink.accept(deviceEvents(2))
    await deliverAll()

    expect(hanging).toHaveBeenCalledTimes(2)
    expect(report.codes).toEqual(["LISTENER_FAILED", "LISTENER_FAILED"])
  })

  it("cannot change what a broker sends", async () => {
    const { sink, deliverAll } = sinkUnderTest()
    const broker = memoryBroker()
    sink.on("*", (event) => Object.assign(event, { id: "forged" }))
    sink.registerBroker("audit", broker)

    sink.accept(deviceEvents(1))
    await deliverAll()

    expect(broker.messages[0]?.id).toBe("event-1")
  })

  it("hears nothing more once it is disposed of, also not what is queued", async () => {
    const { sink, deliverAll } = sinkUnderTest()
    const listener = jest.fn()
    const dispose = sink.on("*", listener)

    sink.accept(deviceEvents(3))
    dispose()
    dispose()
    sink.accept(deviceEvents(1, 4))
    await deliverAll()

    expect(listener).not.toHaveBeenCalled()
    expect(sink.status().listeners).toBe(0)
  })

  it("may dispose of itself from within", async () => {
    const { sink, deliverAll } = sinkUnderTest()
    const heard: string[] = []
    const dispose = sink.on("*", ({ id }) => {
      heard.push(id)
      dispose()
    })

    sink.accept(deviceEvents(3))
    await deliverAll()

    expect(heard).toEqual(["event-1"])
  })

  it("may cause an event that it hears itself", async () => {
    const { sink, deliverAll } = sinkUnderTest()
    const heard: string[] = []
    sink.on("*", ({ id }) => {
      if (heard.push(id) === 1) sink.accept(deviceEvents(1, 2))
    })

    sink.accept(deviceEvents(1))
    await deliverAll()
    await deliverAll()

    expect(heard).toEqual(["event-1", "event-2"])
  })

  it("is refused when the pattern is no string or the listener no function", () => {
    const { sink } = sinkUnderTest()

    const on = (): unknown => sink.on(7 as never, "log" as never)

    expect(on).toThrow(expect.objectContaining({ code: "OPTIONS_INVALID" }))
    expect(on).toThrow(
      "the pattern of a listener must be a string, got a number; a listener must be a function, got a string",
    )
  })
})
