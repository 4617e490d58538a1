import { Site } from "../../../fixtures/inventory/site"
import { ChangeEventsError, withChangeContext } from "../../../src"
import { memoryBroker } from "../../../src/testing"
import { describeOnEveryPostgres } from "../../servers/test-database"
import { hearDiagnostics, type HeardMessages } from "../../support/heard-messages"
import { outboxDatabase, type OutboxDatabase } from "../../support/outbox-database"
import { recordingBroker } from "../../support/recording-broker"

const TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

describeOnEveryPostgres((version) => {
  let log: OutboxDatabase
  let heard: HeardMessages

  beforeEach(async () => {
    log = await outboxDatabase(version, { changes: { maxRowsPerStatement: 2 } })
    heard = hearDiagnostics()
  })
  afterEach(async () => {
    heard.stop()
    await log.close()
  })

  const insert = (name: string) => log.dataSource.getRepository(Site).insert({ name, slug: name })

  it("tells of each commit what stands in the change log, and the rows that the server wrote", async () => {
    await log.dataSource.transaction(async (manager) => {
      for (const name of ["a", "b", "c"]) await manager.insert(Site, { name, slug: name })
      const nested = manager.transaction(async (inner) => {
        await inner.insert(Site, { name: "undone", slug: "undone" })
        throw new Error("no")
      })
      await expect(nested).rejects.toThrow("no")
    })
    await log.dataSource.manager.updateAll(Site, { status: "planned" })
    await log.changes.publish("order.placed", { order: 1 })

    const told = heard
      .on("committed")
      .map(({ delivery, count, topics, serverRows }) => [delivery, count, topics, serverRows])
    expect(told).toEqual([
      ["outbox", 3, { "create.dcim.site": 3 }, 0],
      ["outbox", 0, {}, 3],
      ["outbox", 1, { "order.placed": 1 }, 0],
    ])
  })

  it("tells of leadership, of what was published, and of the cursor's moves", async () => {
    log.changes.registerBroker("memory", memoryBroker())
    await withChangeContext({ traceparent: TRACEPARENT }, () => insert("a"))
    const relay = await log.changes.startRelay()
    await log.changes.flush()
    await relay.stop()

    const [event] = await log.events()
    expect(heard.on("published")).toEqual([
      {
        broker: "memory",
        delivery: "relay",
        shard: 0,
        count: 1,
        events: [{ id: event?.id, topic: "create.dcim.site", traceparent: TRACEPARENT }],
        durationMs: expect.any(Number) as number,
      },
    ])
    const changed = heard.on("relay")
    const place = { relay: changed[0]?.relay, broker: "memory", shard: 0 }
    expect(changed).toEqual([
      { change: "started", relay: expect.stringMatching(/^[0-9a-f-]{36}$/) as string },
      { change: "gained", ...place },
      { change: "moved", ...place, delivered: 1, deadLettered: 0, lagMs: expect.any(Number) as number },
      { change: "released", ...place },
      { change: "stopped", relay: place.relay },
    ])
  })

  it("tells of refusals, and of each dead letter with what waits behind it", async () => {
    const refusing = recordingBroker({
      answer: ({ body }) =>
        body.includes(`"name":"bad"`) ? Object.assign(new Error("no"), { code: "EBAD" }) : undefined,
    })
    log.changes.registerBroker("refusing", refusing, { delivery: { maxAttempts: 2, retryDelayMs: 1 } })
    await insert("bad")
    await log.dataSource.getRepository(Site).update({ slug: "bad" }, { name: "later" })
    await insert("good")
    await log.changes.startRelay()
    await log.changes.flush()

    const [bad, later] = await log.events()
    expect(
      heard.on("failed").map(({ code, attempt, willRetry, delivery }) => [code, attempt, willRetry, delivery]),
    ).toEqual([
      ["EBAD", 1, true, "relay"],
      ["EBAD", 2, false, "relay"],
    ])
    const place = { broker: "refusing", shard: 0 }
    expect(heard.on("dead-letter")).toEqual([
      { ...place, event: { id: bad?.id, topic: "create.dcim.site" }, state: "rejected", code: "EBAD", attempts: 2 },
      {
        ...place,
        event: { id: later?.id, topic: "update.dcim.site" },
        state: "held",
        code: "DEAD_LETTER_BEFORE",
        attempts: 0,
      },
    ])
  })

  it("tells an outage, whose calls are no attempts", async () => {
    let isDown = true
    const down = recordingBroker({
      answer: () => (isDown ? new ChangeEventsError("BROKER_UNAVAILABLE", "down") : undefined),
    })
    log.changes.registerBroker("down", down, { delivery: { maxAttempts: 1, retryDelayMs: 1, maxRetryDelayMs: 5 } })
    await log.changes.startRelay()
    await insert("a")
    await down.untilCalled(3)
    isDown = false
    await down.untilAccepted(1)

    const outages = heard
      .on("failed")
      .map(({ code, attempt, willRetry, isOutage }) => [code, attempt, willRetry, isOutage])
    expect(outages.length).toBeGreaterThanOrEqual(3)
    expect(new Set(outages.map(String))).toEqual(new Set(["BROKER_UNAVAILABLE,0,true,true"]))
  })

  it("tells of a lease that somebody else has by now", async () => {
    log.changes.registerBroker("memory", memoryBroker())
    await log.changes.startRelay({ leaseMs: 1_000 })
    await log.changes.flush()
    await log.observer.query(
      "UPDATE change_events.cursor SET lease_token = lease_token + 1, lease_owner = 'thief', lease_until = clock_timestamp() + interval '1 h'",
    )

    expect(await heard.until("relay", ({ change }) => change === "lost")).toMatchObject({ broker: "memory", shard: 0 })
  })

  it("tells that it waits for the database", async () => {
    const broker = recordingBroker()
    log.changes.registerBroker("memory", broker)
    await log.changes.startRelay()
    await log.changes.flush()
    await log.observer.query("ALTER TABLE change_events.log RENAME COLUMN record TO away")
    await log.observer.query("INSERT INTO change_events.log (key, event) VALUES ('a', 'b')")

    const failed = await heard.until("relay", ({ change }) => change === "failed")
    await log.observer.query("ALTER TABLE change_events.log RENAME COLUMN away TO record")
    expect(failed).toMatchObject({ broker: "memory", shard: 0, code: "RELAY_FAILED" })
  })
})
