import { Site } from "../../../fixtures/inventory/site"
import { ChangeEventsError, withChangeContext, type EventBroker } from "../../../src"
import { describeOnEveryPostgres } from "../../servers/test-database"
import { captureDatabase, type CapturedDatabase } from "../../support/captured-database"
import { hearDiagnostics, type HeardMessages } from "../../support/heard-messages"
import { recordingBroker } from "../../support/recording-broker"

const TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
const SECRET = "s3cret-name"

describeOnEveryPostgres((version) => {
  let captured: CapturedDatabase
  let heard: HeardMessages

  beforeEach(async () => {
    captured = await captureDatabase(version, { changes: { delivery: { retryDelayMs: 1, maxAttempts: 2 } } })
    heard = hearDiagnostics()
  })
  afterEach(async () => {
    heard.stop()
    await captured.close()
  })

  const sites = (manager = captured.dataSource.manager) => manager.getRepository(Site)
  const insert = (name: string) => sites().insert({ name, slug: name })

  it("tells of each commit how many events of which topics it has", async () => {
    await captured.dataSource.transaction(async (manager) => {
      await sites(manager).insert([1, 2, 3].map((number) => ({ name: `${number}`, slug: `${number}` })))
      await sites(manager).update({ slug: "1" }, { name: "one" })
    })
    await insert("alone")

    expect(heard.on("committed")).toEqual([
      {
        delivery: "direct",
        count: 4,
        bytes: expect.any(Number) as number,
        topics: { "create.dcim.site": 3, "update.dcim.site": 1 },
        serverRows: 0,
      },
      expect.objectContaining({ count: 1, topics: { "create.dcim.site": 1 } }),
    ])
    expect(heard.on("committed")[0]?.bytes).toBeGreaterThan(heard.on("committed")[1]?.bytes as number)
  })

  it("tells of a commit only what stands: no savepoint that was rolled back, no transaction, no event of this process's own", async () => {
    await captured.dataSource.transaction(async (manager) => {
      await sites(manager).insert({ name: "kept", slug: "kept" })
      const nested = manager.transaction(async (inner) => {
        await sites(inner).insert({ name: "undone", slug: "undone" })
        throw new Error("no")
      })
      await expect(nested).rejects.toThrow("no")
      await manager.transaction((inner) => sites(inner).insert({ name: "released", slug: "released" }))
      await captured.changes.publish("only.here", {}, { manager, internal: true })
    })
    const failing = captured.dataSource.transaction(async (manager) => {
      await sites(manager).insert({ name: "gone", slug: "gone" })
      throw new Error("no")
    })
    await expect(failing).rejects.toThrow("no")
    await captured.changes.publish("order.placed", { order: 1 })

    expect(heard.on("committed").map(({ count, topics }) => [count, topics])).toEqual([
      [2, { "create.dcim.site": 2 }],
      [1, { "order.placed": 1 }],
    ])
  })

  it("tells of a broker's call which events it accepted, how long it took, and of whose trace they are, and of no value", async () => {
    await withChangeContext({ userName: "alice", traceparent: TRACEPARENT }, () => insert(SECRET))
    const [message] = await captured.messages()

    expect(heard.on("published")).toEqual([
      {
        broker: "memory",
        delivery: "direct",
        shard: 0,
        count: 1,
        events: [{ id: message?.id, topic: "create.dcim.site", traceparent: TRACEPARENT }],
        durationMs: expect.any(Number) as number,
      },
    ])
    expect(heard.text()).not.toMatch(new RegExp(`${SECRET}|alice|${message?.key}"`))
  })

  it("tells of each failed call whether it is repeated, and what is given up", async () => {
    const broken: EventBroker = {
      publish: () => Promise.reject(Object.assign(new Error(`I hate ${SECRET}`), { code: "EWHATEVER" })),
    }
    captured.changes.registerBroker("broken", broken)
    await insert("a")
    const [message] = await captured.messages()

    const call = { broker: "broken", delivery: "direct", count: 1, code: "EWHATEVER", isOutage: false }
    expect(heard.on("failed")).toEqual([
      expect.objectContaining({ ...call, attempt: 1, willRetry: true }),
      expect.objectContaining({ ...call, attempt: 2, willRetry: false }),
    ])
    const events = [{ id: message?.id, topic: "create.dcim.site" }]
    expect(heard.on("dropped")).toEqual([{ broker: "broken", reason: "given-up", count: 1, events }])
    expect(heard.text()).not.toContain(SECRET)
  })

  it("tells an outage from a refusal, and what a batch had of each", async () => {
    let calls = 0
    const batches = recordingBroker({
      batches: true,
      answer: ({ body }) => {
        if (calls++ === 0) return Object.assign(new Error("away"), { code: "ECONNREFUSED" })
        return body.includes(`"name":"bad"`)
          ? new ChangeEventsError("MESSAGE_TOO_LARGE", "too large", { retryable: false })
          : undefined
      },
    })
    captured.changes.registerBroker("batches", batches)
    await insert("first")
    await batches.untilAccepted(1)
    await captured.dataSource.transaction(async (manager) => {
      for (const name of ["good", "bad", "fine"]) await sites(manager).insert({ name, slug: name })
    })
    await captured.changes.flush()

    expect(
      heard
        .on("failed")
        .map(({ code, attempt, willRetry, isOutage, count }) => [code, attempt, willRetry, isOutage, count]),
    ).toEqual([
      ["ECONNREFUSED", 0, true, true, 1],
      ["MESSAGE_TOO_LARGE", 1, false, false, 1],
    ])
    const accepted = heard.on("published").filter(({ broker }) => broker === "batches")
    expect(accepted.map(({ count }) => count)).toEqual([1, 2])
  })

  it("tells what has no room in the queue, what cannot be formatted, and what waits at the end", async () => {
    const down = (): Error => Object.assign(new Error("away"), { code: "ECONNREFUSED" })
    captured.changes.registerBroker("full", recordingBroker({ answer: down }), { delivery: { maxQueuedEvents: 1 } })
    captured.changes.registerBroker("odd", recordingBroker(), {
      format: () => {
        throw new Error(SECRET)
      },
    })
    await insert("a")
    await insert("b")
    await heard.until("dropped", ({ broker }) => broker === "full")
    await heard.until("dropped", () => heard.on("dropped").filter(({ broker }) => broker === "odd").length === 2)
    await captured.changes.deregisterBroker("full")

    const told = heard.on("dropped").map(({ broker, reason, count }) => `${broker} ${reason} ${count}`)
    expect(told.sort()).toEqual(["full closed 1", "full queue-full 1", "odd unreadable 1", "odd unreadable 1"])
    expect(heard.text()).not.toContain(SECRET)
  })

  it("tells of writes that made no events", async () => {
    await insert("a")
    await captured.dataSource.query("UPDATE dcim.site SET name = 'b'")

    expect(heard.on("uncaptured")).toEqual([
      { table: "dcim.site", rows: 1, reason: expect.stringContaining("raw SQL") as string },
    ])
  })

  it("tells nothing of listeners in the process", async () => {
    await captured.changes.deregisterBroker("memory")
    captured.changes.on("*", () => {
      throw new Error("mine")
    })
    await insert("a")
    await captured.changes.flush()

    expect([heard.on("published"), heard.on("failed"), heard.on("dropped")]).toEqual([[], [], []])
  })
})
