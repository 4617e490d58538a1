import { Site } from "../../../fixtures/inventory/site"
import { describeOnEveryPostgres } from "../../servers/test-database"
import { outboxDatabase, type OutboxDatabase } from "../../support/outbox-database"
import { recordingBroker } from "../../support/recording-broker"
import { secondProcess } from "../../support/second-process"

const MINUTE_MS = 60_000

describeOnEveryPostgres((version) => {
  let log: OutboxDatabase

  beforeEach(async () => {
    log = await outboxDatabase(version)
  })
  afterEach(() => log.close())

  const insert = (name: string) => log.dataSource.manager.insert(Site, { name, slug: name })
  const broker = () => log.changes.status().brokers["broker"]

  it("tells of a broker that no relay of this process leads that it is so, and nothing else", async () => {
    const elsewhere = await secondProcess(log.database)
    const other = recordingBroker()
    log.changes.registerBroker("broker", recordingBroker())
    elsewhere.changes.registerBroker("broker", other)
    await elsewhere.changes.startRelay()
    await insert("a")
    await other.untilAccepted(1)
    await elsewhere.changes.flush()

    const unknown = { delivered: 0, failed: 0, state: "not-led", queued: 0, lagMs: null, lastError: null }
    expect(broker()).toMatchObject({ ...unknown, lastDeliveredAt: null, shards: { total: 1, led: [] } })
    expect(elsewhere.changes.status().brokers["broker"]).toMatchObject({
      delivered: 1,
      failed: 0,
      state: "idle",
      queued: 0,
      lagMs: 0,
      lastError: null,
      lastDeliveredAt: expect.any(Date) as Date,
      shards: { total: 1, led: [0] },
    })
    await elsewhere.changes.close()
  })

  it("tells why a broker gets nothing, how old the next event is, and how many were read", async () => {
    let isDown = true
    const down = recordingBroker({
      answer: () => (isDown ? Object.assign(new Error("nobody there"), { code: "ECONNREFUSED" }) : undefined),
    })
    log.changes.registerBroker("broker", down, { delivery: { retryDelayMs: 1, maxRetryDelayMs: 2 } })
    for (const name of ["a", "b"]) await insert(name)
    await log.observer.query("UPDATE change_events.log SET written_at = written_at - interval '1 minute'")
    await log.changes.startRelay()
    await down.untilCalled(3)
    const during = broker()
    isDown = false
    await down.untilAccepted(2)
    await log.changes.flush()

    expect(during).toMatchObject({
      delivered: 0,
      failed: 0,
      queued: 2,
      lastError: { code: "ECONNREFUSED", message: "nobody there" },
    })
    expect(["retrying", "delivering"]).toContain(during?.state)
    expect(during?.lagMs).toBeGreaterThanOrEqual(MINUTE_MS)
    expect(during?.lagMs).toBeLessThan(2 * MINUTE_MS)
    expect(during?.queuedBytes).toBeGreaterThan(100)
    expect(broker()).toMatchObject({ delivered: 2, state: "idle", queued: 0, queuedBytes: 0, lagMs: 0 })
  })

  it("counts dead letters as failed, and keeps its counts when a relay ends and another begins here", async () => {
    const refusing = recordingBroker({
      answer: ({ body }) =>
        body.includes(`"name":"bad"`) ? Object.assign(new Error("no"), { retryable: false }) : undefined,
    })
    log.changes.registerBroker("broker", refusing)
    const first = await log.changes.startRelay()
    await insert("good")
    await insert("bad")
    await log.changes.flush()
    await first.stop()
    const between = broker()
    await log.changes.startRelay()
    await insert("fine")
    await log.changes.flush()

    expect(between).toMatchObject({ delivered: 1, failed: 1, state: "not-led", shards: { total: 1, led: [] } })
    expect(broker()).toMatchObject({
      delivered: 2,
      failed: 1,
      state: "idle",
      lastError: { code: "PUBLISH_FAILED", message: "no" },
    })
  })

  it("tells which shards are led here, and where two processes share them, which here", async () => {
    const elsewhere = await secondProcess(log.database)
    for (const { changes } of [log, elsewhere]) changes.registerBroker("broker", recordingBroker(), { shards: 2 })
    await log.changes.startRelay({ leaseMs: 1_000 })
    await log.changes.flush()
    expect(broker()?.shards).toEqual({ total: 2, led: [0, 1] })

    await elsewhere.changes.startRelay({ leaseMs: 1_000 })
    const led = (changes: typeof log.changes) => changes.status().brokers["broker"]?.shards?.led ?? []
    while (led(log.changes).length !== 1 || led(elsewhere.changes).length !== 1) await new Promise(setImmediate)
    expect([...led(log.changes), ...led(elsewhere.changes)].sort()).toEqual([0, 1])
    await elsewhere.changes.close()
  })
})
