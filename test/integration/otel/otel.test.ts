import { SpanKind, SpanStatusCode } from "@opentelemetry/api"
import { Site } from "../../../fixtures/inventory/site"
import { withChangeContext } from "../../../src"
import { redisStreamBroker } from "../../../src/brokers/redis-stream"
import { instrumentChangeEvents } from "../../../src/otel"
import { diagnostics } from "../../../src/runtime/diagnostics"
import { startRedisServer, type RedisServer } from "../../servers/redis-server"
import { describeOnEveryPostgres } from "../../servers/test-database"
import { captureDatabase, type CapturedDatabase } from "../../support/captured-database"
import { startTelemetry, type TestTelemetry } from "../../support/open-telemetry"
import { outboxDatabase, type OutboxDatabase } from "../../support/outbox-database"
import { recordingBroker } from "../../support/recording-broker"
import { triggeredDatabase } from "../../support/triggered-database"
import { readRedisStream, type StreamEntryFields } from "../brokers/redis-stream-reader"

const OF_REQUEST = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
const OF_STREAM = { "change_events.broker": "stream", "messaging.system": "redis" }

let redis: RedisServer
let telemetry: TestTelemetry
let endings: (() => unknown)[]

beforeAll(async () => {
  redis = await startRedisServer()
})
afterAll(() => redis.remove())
beforeEach(() => {
  telemetry = startTelemetry()
  endings = []
})
afterEach(async () => {
  for (const end of endings.reverse()) await end()
  await telemetry.stop()
})

describeOnEveryPostgres((version) => {
  async function instrumentedOutbox(): Promise<OutboxDatabase> {
    const log = await outboxDatabase(version, { changes: { maxRowsPerStatement: 2 } })
    endings.push(() => log.close())
    endings.push(instrumentChangeEvents(log.changes, { ...telemetry.options, system: () => "redis" }))
    return log
  }

  async function instrumentedDirect(): Promise<CapturedDatabase> {
    const captured = await captureDatabase(version, { changes: { delivery: { retryDelayMs: 1, maxAttempts: 2 } } })
    endings.push(() => captured.close())
    endings.push(instrumentChangeEvents(captured.changes, telemetry.options))
    return captured
  }

  /** A broker on a stream of the test's own, with a consumer. */
  function stream(): {
    readonly broker: ReturnType<typeof redisStreamBroker>
    entries(count: number): Promise<readonly StreamEntryFields[]>
  } {
    const name = `events-${Math.random()}`
    const reader = readRedisStream(redis.url, name)
    endings.push(() => reader.stop())
    return { broker: redisStreamBroker({ url: redis.url, stream: name }), entries: (count) => reader.received(count) }
  }

  const insert = ({ dataSource }: OutboxDatabase | CapturedDatabase, name: string) =>
    dataSource.manager.insert(Site, { name, slug: name })
  const sends = () => telemetry.spans().filter(({ name }) => name.startsWith("send"))

  it("is one trace from the write, through the change log, to the message in Redis and the span of its sending", async () => {
    const log = await instrumentedOutbox()
    const { broker, entries } = stream()
    log.changes.registerBroker("stream", broker)
    const request = await telemetry.inSpan("PUT /sites", () => insert(log, "a"))
    await log.changes.startRelay()
    const [entry] = await entries(1)
    await log.changes.flush()

    const traceparent = `00-${request.traceId}-${request.spanId}-01`
    expect(JSON.parse(entry?.["headers"] ?? "{}")).toMatchObject({ traceparent })
    expect(JSON.parse(entry?.["body"] ?? "{}")).toMatchObject({ context: { traceparent } })
    const [send, ...others] = sends()
    expect(others).toEqual([])
    expect(send).toMatchObject({
      name: "send create.dcim.site",
      kind: SpanKind.PRODUCER,
      status: { code: SpanStatusCode.UNSET },
      attributes: {
        ...OF_STREAM,
        "change_events.delivery": "relay",
        "messaging.operation.name": "send",
        "messaging.operation.type": "send",
        "messaging.destination.name": "create.dcim.site",
        "messaging.message.id": entry?.["id"],
      },
    })
    expect(send?.spanContext().traceId).toBe(request.traceId)
    expect(send?.parentSpanContext).toMatchObject({ spanId: request.spanId, isRemote: true })
    expect(send?.duration[0]).toBeLessThan(60)
  })

  it("goes into what the server writes for a large statement, and into an own event", async () => {
    const log = await instrumentedOutbox()
    for (const name of ["a", "b", "c"]) await insert(log, name)
    const large = await telemetry.inSpan("job", () => log.dataSource.manager.updateAll(Site, { status: "planned" }))
    const own = await telemetry.inSpan("order", () => log.changes.publish("order.placed", {}))

    const traces = (await log.events()).map(({ topic, context }) => [topic, context.traceparent])
    expect(traces.slice(3)).toEqual([
      ...[1, 2, 3].map(() => ["update.dcim.site", `00-${large.traceId}-${large.spanId}-01`]),
      ["order.placed", `00-${own.traceId}-${own.spanId}-01`],
    ])
  })

  it("goes to the triggers that capture in our stead, span by span within one transaction", async () => {
    const log = await triggeredDatabase(version, { changes: { capture: "triggers" } })
    endings.push(() => log.close())
    endings.push(instrumentChangeEvents(log.changes, telemetry.options))
    const spans = await log.dataSource.transaction(async (manager) => {
      const raw = (name: string) => manager.query(`INSERT INTO extras.tag (name) VALUES ('${name}')`)
      return [await telemetry.inSpan("one", () => raw("a")), await telemetry.inSpan("two", () => raw("b"))]
    })

    const traces = (await log.events()).map(({ context }) => context.traceparent)
    expect(traces).toEqual(spans.map(({ traceId, spanId }) => `00-${traceId}-${spanId}-01`))
  })

  it("takes the span that is active at the write before the trace of the request, which stays where there is none", async () => {
    const captured = await instrumentedDirect()
    const spans = await withChangeContext({ traceparent: OF_REQUEST, userName: "alice" }, async () => {
      await insert(captured, "before")
      const first = await telemetry.inSpan("first", () => insert(captured, "one"))
      const second = await telemetry.inSpan("second", () => insert(captured, "two"))
      return [first, second]
    })
    const events = await captured.events()

    expect(events.map(({ context }) => context["traceparent"])).toEqual([
      OF_REQUEST,
      ...spans.map(({ traceId, spanId }) => `00-${traceId}-${spanId}-01`),
    ])
    expect(
      new Set(events.map(({ context }) => `${String(context["request_id"])} ${String(context["user_name"])}`)).size,
    ).toBe(1)
  })

  it("makes a span in each trace of a batch, and none for events of no trace", async () => {
    const log = await instrumentedOutbox()
    const { broker, entries } = stream()
    const one = await telemetry.inSpan("one", async () => {
      for (const name of ["a", "b"]) await insert(log, name)
    })
    const two = await telemetry.inSpan("two", async () => {
      await insert(log, "c")
      await log.dataSource.manager.update(Site, { slug: "a" }, { name: "later" })
    })
    await insert(log, "untraced")
    log.changes.registerBroker("stream", broker)
    await log.changes.startRelay()
    await entries(5)
    await log.changes.flush()

    const told = sends().map((span) => [
      span.name,
      span.spanContext().traceId,
      span.attributes["messaging.batch.message_count"],
    ])
    expect(told).toEqual([
      ["send create.dcim.site", one.traceId, 2],
      ["send", two.traceId, 2],
    ])
  })

  it("tells a refusal by a span with its error, and an outage by metrics alone", async () => {
    const captured = await instrumentedDirect()
    let calls = 0
    const errors = ["ECONNREFUSED", "EBAD", "EBAD"]
    const refusing = recordingBroker({
      answer: () => (errors[calls] ? Object.assign(new Error("no"), { code: errors[calls++] }) : undefined),
    })
    await captured.changes.deregisterBroker("memory")
    captured.changes.registerBroker("refusing", refusing)
    const { traceId } = await telemetry.inSpan("request", () => insert(captured, "a"))
    await captured.changes.flush()

    const status = { code: SpanStatusCode.ERROR, message: "EBAD" }
    expect(sends()).toMatchObject([1, 2].map(() => ({ status, attributes: { "error.type": "EBAD" } })))
    expect(sends().map((span) => span.spanContext().traceId)).toEqual([traceId, traceId])
    expect(
      (await telemetry.points("change_events.failed")).map(({ value, attributes }) => [
        value,
        attributes["error.type"],
        attributes["change_events.will_retry"],
      ]),
    ).toEqual([
      [1, "ECONNREFUSED", true],
      [1, "EBAD", true],
      [1, "EBAD", false],
    ])
    expect(await telemetry.points("change_events.dropped")).toEqual([
      { value: 1, attributes: { "change_events.broker": "refusing", "change_events.reason": "given-up" } },
    ])
  })

  it("measures calls by the conventions for messaging, and commits, uncaptured writes and the brokers' status by names of its own", async () => {
    const captured = await instrumentedDirect()
    await captured.dataSource.transaction(async (manager) => {
      for (const name of ["a", "b"]) await manager.insert(Site, { name, slug: name })
      await manager.delete(Site, { slug: "a" })
    })
    await captured.dataSource.query("UPDATE dcim.site SET name = 'raw'")
    await captured.messages()

    const sent = await telemetry.points("messaging.client.sent.messages")
    const call = {
      "messaging.system": "change_events",
      "messaging.operation.name": "send",
      "messaging.operation.type": "send",
      "change_events.broker": "memory",
      "change_events.delivery": "direct",
    }
    expect(sent).toEqual([
      { value: 2, attributes: { ...call, "messaging.destination.name": "create.dcim.site" } },
      { value: 1, attributes: { ...call, "messaging.destination.name": "delete.dcim.site" } },
    ])
    const timed = await telemetry.points("messaging.client.operation.duration")
    expect(timed.reduce((sum, { value }) => sum + value, 0)).toBeGreaterThan(0)
    expect(await telemetry.points("change_events.committed")).toEqual([
      { value: 3, attributes: { "change_events.delivery": "direct" } },
    ])
    expect(await telemetry.points("change_events.uncaptured")).toEqual([
      { value: 1, attributes: { "db.collection.name": "dcim.site" } },
    ])
    const broker = { "change_events.broker": "memory" }
    expect(await telemetry.points("change_events.lag")).toEqual([{ value: 0, attributes: broker }])
    expect(await telemetry.points("change_events.queued")).toEqual([{ value: 0, attributes: broker }])
  })

  it("counts dead letters, and the shards that are led", async () => {
    const log = await instrumentedOutbox()
    const refusing = recordingBroker({ answer: () => Object.assign(new Error("no"), { retryable: false }) })
    log.changes.registerBroker("stream", refusing)
    await insert(log, "a")
    expect(await telemetry.points("change_events.led_shards")).toEqual([
      { value: 0, attributes: { "change_events.broker": "stream" } },
    ])
    expect(await telemetry.points("change_events.lag")).toEqual([])
    await log.changes.startRelay()
    await log.changes.flush()

    expect(await telemetry.points("change_events.dead_letters")).toEqual([
      {
        value: 1,
        attributes: {
          "change_events.broker": "stream",
          "change_events.state": "rejected",
          "error.type": "PUBLISH_FAILED",
        },
      },
    ])
    expect(await telemetry.points("change_events.led_shards")).toMatchObject([{ value: 1 }])
    expect(await telemetry.points("change_events.lag")).toMatchObject([{ value: 0 }])
  })

  it("ends with what it gave: no span, no metric, no trace of a span at the write", async () => {
    const captured = await instrumentedDirect()
    endings.pop()?.()
    await telemetry.inSpan("request", () => insert(captured, "a"))
    const [event] = await captured.events()

    expect(event?.context["traceparent"]).toBeUndefined()
    expect(sends()).toEqual([])
    expect(await telemetry.points("messaging.client.sent.messages")).toEqual([])
    expect(await telemetry.points("change_events.queued")).toEqual([])
    expect(Object.values(diagnostics).some(({ hasSubscribers }) => hasSubscribers)).toBe(false)
  })
})

describe("instrumentChangeEvents()", () => {
  it("names every fault of its options", () => {
    const options = { meterProvder: {}, tracerProvider: {}, system: "redis" } as never

    expect(() => instrumentChangeEvents(undefined, options)).toThrow(
      /meterProvder.*did you mean `meterProvider`.*tracerProvider must have the function getTracer.*system must be a function/,
    )
  })

  it("survives a `system` that throws, without an event lost", async () => {
    const captured = await captureDatabase(18)
    endings.push(() => captured.close())
    const system = (): string => {
      throw new Error("mine")
    }
    endings.push(instrumentChangeEvents(undefined, { ...telemetry.options, system }))
    await insert(captured, "a")

    expect(await captured.messages()).toHaveLength(1)
  })

  const insert = ({ dataSource }: CapturedDatabase, name: string) =>
    dataSource.manager.insert(Site, { name, slug: name })
})
