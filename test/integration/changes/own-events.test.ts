import { Tag } from "../../../fixtures/inventory/tag"
import { withChangeContext, type OutgoingEvent } from "../../../src"
import { createTestDatabase, describeOnEveryPostgres } from "../../servers/test-database"
import { captureDatabase, type CapturedDatabase } from "../../support/captured-database"

describeOnEveryPostgres((version) => {
  let captured: CapturedDatabase

  beforeAll(async () => {
    captured = await captureDatabase(version, { changes: { topicPrefix: "nautobot" } })
  })
  afterAll(() => captured.close())
  beforeEach(() => captured.messages())

  const topics = async (): Promise<string[]> => (await captured.messages()).map((message) => message.topic)

  it("publishes an application's own event at once, with its payload and context as they were", async () => {
    const payload = { device: 7, when: new Date(0) }
    await withChangeContext({ userName: "alice" }, () => captured.changes.publish("inventory.audit.done", payload))
    payload.device = 8

    const [message] = await captured.messages()
    expect(message).toMatchObject({ topic: "inventory.audit.done", contentType: "application/json" })
    expect(JSON.parse(message?.body ?? "")).toEqual({ device: 7, when: "1970-01-01T00:00:00.000Z" })
  })

  it("publishes in the order of the transaction's changes, when it commits", async () => {
    await captured.dataSource.transaction(async (manager) => {
      await manager.insert(Tag, { name: "first" })
      await captured.changes.publish("between", {}, { manager })
      await manager.insert(Tag, { name: "last" })
      expect(await topics()).toEqual([])
    })

    expect(await topics()).toEqual(["nautobot.create.extras.tag", "between", "nautobot.create.extras.tag"])
  })

  it("publishes nothing of a transaction that is rolled back", async () => {
    const work = captured.dataSource.transaction(async (manager) => {
      await captured.changes.publish("never", {}, { manager })
      throw new Error("no")
    })

    await expect(work).rejects.toThrow("no")
    expect(await topics()).toEqual([])
  })

  it("publishes at once with a manager that is in no transaction", async () => {
    const runner = captured.dataSource.createQueryRunner()
    await captured.changes.publish("idle", {}, { manager: runner.manager })
    await runner.release()
    await captured.changes.publish("pooled", {}, { manager: captured.dataSource.manager })

    expect(await topics()).toEqual(["idle", "pooled"])
  })

  it("names a payload that JSON cannot hold, and lets the others through", async () => {
    const circular: Record<string, unknown> = { name: "loop" }
    circular["self"] = circular
    const publishing = Promise.allSettled([
      captured.changes.publish("good.one", { fine: true }),
      captured.changes.publish("bad.circular", { payload: circular }),
      captured.changes.publish("bad.bigint", { counts: [1n] }),
      captured.changes.publish("good.two", null),
    ])

    const faults = (await publishing).flatMap((result) => (result.status === "rejected" ? [result.reason] : []))
    expect(faults).toMatchObject([
      { code: "EVENT_UNSERIALIZABLE", details: { topic: "bad.circular" } },
      { code: "EVENT_UNSERIALIZABLE", details: { topic: "bad.bigint", path: "counts.0" } },
    ])
    expect(await topics()).toEqual(["good.one", "good.two"])
  })

  it("refuses a topic that is none, and a manager of a DataSource without the subscriber", async () => {
    await expect(captured.changes.publish("", {})).rejects.toMatchObject({ code: "OPTIONS_INVALID" })
    const other = await createTestDatabase(version)
    const runner = (await other.dataSource()).createQueryRunner()
    await expect(captured.changes.publish("x", {}, { manager: runner.manager })).rejects.toMatchObject({
      code: "DATA_SOURCE_NOT_ATTACHED",
    })
    await runner.release()
    await other.drop()
  })

  it("refuses a manager whose query runner is released, for its connection may be in somebody else's transaction", async () => {
    const runner = captured.dataSource.createQueryRunner()
    await runner.connect()
    await runner.release()

    await expect(captured.changes.publish("late", {}, { manager: runner.manager })).rejects.toMatchObject({
      code: "OPTIONS_INVALID",
    })
    expect(await topics()).toEqual([])
  })

  it("calls a listener after the commit, with the event, until it is disposed of", async () => {
    const heard: OutgoingEvent[] = []
    const dispose = captured.changes.on("nautobot.create.extras.*", (event) => void heard.push(event))
    await captured.dataSource.transaction(async (manager) => {
      await manager.insert(Tag, { name: "heard" })
      await captured.changes.flush()
      expect(heard).toEqual([])
    })
    await captured.changes.flush()
    dispose()
    await captured.dataSource.manager.insert(Tag, { name: "unheard" })
    await captured.changes.flush()

    expect(heard).toMatchObject([{ kind: "change", action: "create", postchange: { name: "heard" } }])
  })

  it("reports a listener that throws, and nobody else is affected", async () => {
    const dispose = captured.changes.on("*", () => {
      throw new Error("listener")
    })
    await captured.dataSource.manager.insert(Tag, { name: "despite" })

    expect(await topics()).toEqual(["nautobot.create.extras.tag"])
    expect(captured.logged.join()).toContain("LISTENER_FAILED")
    dispose()
  })
})
