import { setTimeout as pause } from "node:timers/promises"
import { Site } from "../../../fixtures/inventory/site"
import { pruneOnce } from "../../../src/relay/retention"
import { changeLogTables } from "../../../src/outbox/change-log-tables"
import { describeOnEveryPostgres } from "../../servers/test-database"
import { outboxDatabase, type OutboxDatabase } from "../../support/outbox-database"
import { recordingBroker } from "../../support/recording-broker"

const HOUR_MS = 3_600_000

describeOnEveryPostgres((version) => {
  let log: OutboxDatabase

  beforeEach(async () => void (log = await outboxDatabase(version)))
  afterEach(() => log.close())

  const count = async (text: string): Promise<number> => {
    const [found] = await log.observer.query<[{ count: number }]>(`SELECT count(*)::int AS count FROM ${text}`)
    return found.count
  }

  it("goes on beside the relay, which delivers, keeps its leases and can be stopped though it takes long", async () => {
    const holder = log.observer.createQueryRunner()
    await holder.query("BEGIN")
    await holder.query("LOCK TABLE change_events.statement IN SHARE MODE")
    const broker = recordingBroker()
    log.changes.registerBroker("broker", broker)
    const now = performance.now.bind(performance)
    const clock = jest.spyOn(performance, "now").mockImplementation(() => now() + HOUR_MS)
    const relay = await log.changes.startRelay({ startAt: "now", leaseMs: 1_000 })
    const waiting = "pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    while ((await count(waiting)) === 0) await pause(20)
    await pause(1_500)
    await log.dataSource.manager.insert(Site, { name: "a", slug: "a" })
    await broker.untilAccepted(1)

    expect(await count("change_events.cursor WHERE lease_until > clock_timestamp()")).toBe(1)
    await relay.stop()
    clock.mockRestore()
    expect([await count(waiting), log.logged]).toEqual([1, []])
    await holder.query("ROLLBACK")
    await holder.release()
  })

  it("removes any number of statements and of inbox entries, and no statement that the log needs", async () => {
    await log.observer.query(
      "INSERT INTO change_events.statement (body, written_at) SELECT '{}', now() - interval '3 days' FROM generate_series(1, 25000)",
    )
    await log.observer.query(
      "INSERT INTO change_events.log (key, statement_id) SELECT 'k', id FROM change_events.statement WHERE id IN (5, 10000, 25000)",
    )
    await log.observer.query(
      "INSERT INTO change_events.inbox SELECT 'c', n::text, now() - interval '3 days' FROM generate_series(1, 25000) AS n",
    )
    await log.observer.query("INSERT INTO change_events.inbox VALUES ('c', 'young')")
    await pruneOnce((text, values) => log.observer.query(text, values), changeLogTables(), 1)

    expect([await count("change_events.statement"), await count("change_events.inbox")]).toEqual([3, 1])
  })
})
