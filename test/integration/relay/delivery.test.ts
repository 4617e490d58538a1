import { Device } from "../../../fixtures/inventory/device"
import { Site } from "../../../fixtures/inventory/site"
import { cloudevents } from "../../../src/formats/cloudevents"
import { memoryBroker } from "../../../src/testing"
import { describeOnEveryPostgres } from "../../servers/test-database"
import { outboxDatabase, type OutboxDatabase } from "../../support/outbox-database"
import { recordingBroker } from "../../support/recording-broker"

describeOnEveryPostgres((version) => {
  let log: OutboxDatabase

  beforeEach(async () => {
    log = await outboxDatabase(version, { changes: { maxRowsPerStatement: 2 } })
  })
  afterEach(() => log.close())

  const insert = (name: string) => log.dataSource.getRepository(Site).insert({ name, slug: name })

  it("delivers what was logged before it started, and after, in the order of the log", async () => {
    const broker = memoryBroker()
    log.changes.registerBroker("memory", broker)
    await insert("before")
    await log.changes.startRelay()
    await insert("after")
    await log.dataSource.getRepository(Site).update({ slug: "after" }, { name: "later" })
    await log.changes.publish("order.placed", { order: 1 })
    await log.changes.flush()

    expect(broker.messages.map(({ topic }) => topic)).toEqual([
      "create.dcim.site",
      "create.dcim.site",
      "update.dcim.site",
      "order.placed",
    ])
    expect(broker.messages.map(({ id }) => id)).toEqual((await log.events()).map(({ id }) => id))
  })

  it("delivers what is committed as soon as it has started, to a broker that begins now", async () => {
    const broker = memoryBroker()
    log.changes.registerBroker("memory", broker)
    await insert("before")
    const relay = await log.changes.startRelay({ startAt: "now" })
    const led = relay.status().cursors.length
    await insert("after")
    await log.changes.flush()

    expect(led).toBe(1)
    expect(
      broker.messages.map(({ body }) => (JSON.parse(body as string) as { postchange: object }).postchange),
    ).toEqual([expect.objectContaining({ name: "after" })])
  })

  it("gives each broker its topics in its format, rows that the server wrote included", async () => {
    const sites = memoryBroker()
    const all = memoryBroker()
    log.changes.registerBroker("sites", sites, { topics: { include: ["*.site"] } })
    log.changes.registerBroker("all", all, { format: cloudevents({ source: "https://example.org" }) })
    await log.changes.startRelay()
    for (const name of ["a", "b", "c"]) await insert(name)
    await log.dataSource.getRepository(Device).insert({ name: "sw1" })
    await log.dataSource.manager.updateAll(Site, { status: "planned" })
    await log.changes.flush()

    expect(sites.messages).toHaveLength(6)
    expect(all.messages).toHaveLength(7)
    expect(sites.messages.every(({ contentType }) => contentType === "application/json")).toBe(true)
    expect(JSON.parse(sites.messages.at(-1)?.body as string)).toMatchObject({
      context: { change_context: "ORM" },
      prechange: { name: "c", status: "active" },
      postchange: { name: "c", status: "planned" },
      differences: { added: { status: "planned" } },
    })
    expect(all.messages.map(({ id }) => id)).toEqual(expect.arrayContaining(sites.messages.map(({ id }) => id)))
  })

  it("lets a broker that is down wait, without an attempt burnt, and the others go on", async () => {
    let isDown = true
    const down = recordingBroker({
      answer: () => (isDown ? Object.assign(new Error("down"), { code: "ECONNREFUSED" }) : undefined),
    })
    const up = recordingBroker()
    log.changes.registerBroker("down", down, { delivery: { maxAttempts: 1, retryDelayMs: 5, maxRetryDelayMs: 10 } })
    log.changes.registerBroker("up", up)
    await log.changes.startRelay()
    await insert("a")
    await insert("b")
    await up.untilAccepted(2)
    await down.untilCalled(4)
    isDown = false
    await down.untilAccepted(2)

    expect(down.accepted.map(({ id }) => id)).toEqual(up.accepted.map(({ id }) => id))
    expect(await log.observer.query("SELECT * FROM change_events.dead_letter")).toEqual([])
  })

  it("asks a broker that is down about once a second, however much is committed meanwhile", async () => {
    const down = recordingBroker({ answer: () => Object.assign(new Error("down"), { code: "ECONNREFUSED" }) })
    log.changes.registerBroker("down", down, { delivery: { retryDelayMs: 200 } })
    await log.changes.startRelay()
    const start = performance.now()
    for (let n = 0; performance.now() - start < 2_000; n++) await insert(`s${n}`)

    expect(down.calls.length).toBeGreaterThan(1)
    expect(down.calls.length).toBeLessThan(10)
  })

  it("goes on where another relay ended, without a repetition", async () => {
    const broker = recordingBroker()
    log.changes.registerBroker("broker", broker)
    const first = await log.changes.startRelay()
    await insert("a")
    await broker.untilAccepted(1)
    await first.stop()
    await insert("b")
    await log.changes.startRelay()
    await broker.untilAccepted(2)
    await log.changes.flush()

    expect(broker.calls).toHaveLength(2)
  })

  it("needs a change log, a broker, and a DataSource", async () => {
    await expect(log.changes.startRelay()).rejects.toMatchObject({ code: "RELAY_WITHOUT_BROKERS" })
    log.changes.registerBroker("memory", memoryBroker())
    await log.observer.query("UPDATE change_events.meta SET version = 9")
    await expect(log.changes.startRelay()).rejects.toMatchObject({ code: "CHANGE_LOG_VERSION" })
    await log.observer.query("UPDATE change_events.meta SET version = 1, system_identifier = 'another'")
    await expect(log.changes.startRelay()).rejects.toMatchObject({ code: "CHANGE_LOG_FOREIGN" })
    await log.observer.query("DROP SCHEMA change_events CASCADE")
    await expect(log.changes.startRelay()).rejects.toMatchObject({ code: "CHANGE_LOG_MISSING" })
    await expect(log.changes.startRelay({ dataSource: log.observer })).rejects.toMatchObject({
      code: "DATA_SOURCE_NOT_ATTACHED",
    })
  })
})
