import type { DataSource } from "typeorm"
import { Site } from "../../../fixtures/inventory/site"
import { adoptChangeLog } from "../../../src/relay/adopt-change-log"
import { ensureCursors, forgetBroker, rewind } from "../../../src/relay/cursor-registry"
import { DeadLetters } from "../../../src/relay/dead-letters"
import { LetterStore } from "../../../src/relay/letter-store"
import { pruneOnce } from "../../../src/relay/retention"
import { changeLogTables } from "../../../src/outbox/change-log-tables"
import { describeOnEveryPostgres } from "../../servers/test-database"
import { outboxDatabase, type OutboxDatabase } from "../../support/outbox-database"
import { recordingBroker, type RecordingBroker } from "../../support/recording-broker"

const tables = changeLogTables()

describeOnEveryPostgres((version) => {
  let log: OutboxDatabase

  beforeEach(async () => void (log = await outboxDatabase(version)))
  afterEach(() => log.close())

  const query = (text: string, values?: unknown[]): Promise<readonly unknown[]> => log.observer.query(text, values)
  const insert = (name: string) => log.dataSource.getRepository(Site).insert({ name, slug: name })
  const rename = (slug: string, name: string) => log.dataSource.getRepository(Site).update({ slug }, { name })
  const names = ({ accepted }: RecordingBroker) =>
    accepted.map(({ body }) => (JSON.parse(body) as { postchange: { name: string } }).postchange.name)
  const refusing = (bad: Set<string>) =>
    recordingBroker({
      answer: ({ body }) => {
        const { name } = (JSON.parse(body) as { postchange: { name: string } }).postchange
        return bad.has(name) ? Object.assign(new Error("no"), { retryable: false }) : undefined
      },
    })

  it("holds back what follows a refused event of its row, and sends both in order when asked to", async () => {
    const bad = new Set(["a1"])
    const broker = refusing(bad)
    log.changes.registerBroker("broker", broker)
    await log.changes.startRelay({ leaseMs: 1_000 })
    for (const name of ["a", "b"]) await insert(name)
    await rename("a", "a1")
    await rename("a", "a2")
    await rename("b", "b1")
    await log.changes.flush()

    const letters = new DeadLetters(query, tables)
    const states = (await letters.list()).map(({ state, code, attempts }) => [state, code, attempts])
    expect(states).toEqual([
      ["rejected", "PUBLISH_FAILED", 1],
      ["held", "DEAD_LETTER_BEFORE", 0],
    ])
    expect(names(broker)).toEqual(["a", "b", "b1"])
    bad.clear()
    expect(await letters.requeue({ broker: "broker" })).toBe(2)
    await broker.untilAccepted(5)
    expect(names(broker).slice(3)).toEqual(["a1", "a2"])
    await rename("a", "a3")
    await broker.untilAccepted(6)
    expect(await letters.list()).toEqual([])
    await expect(letters.requeue({})).rejects.toMatchObject({ code: "DEAD_LETTER_UNKNOWN" })
  })

  it("goes on without a refused event where its broker wants that, and drops one that is given up", async () => {
    const skipping = refusing(new Set(["a1"]))
    const holding = refusing(new Set(["a1"]))
    log.changes.registerBroker("skipping", skipping, { onPoison: "skip" })
    log.changes.registerBroker("holding", holding)
    await log.changes.startRelay({ leaseMs: 1_000 })
    await insert("a")
    await rename("a", "a1")
    await rename("a", "a2")
    await log.changes.flush()

    expect([names(skipping), names(holding)]).toEqual([["a", "a2"], ["a"]])
    const letters = new DeadLetters(query, tables)
    const [refused] = await letters.list({ broker: "holding" })
    expect(await letters.show(refused?.id as string)).toMatchObject({ record: { postchange: { name: "a1" } } })
    expect(await letters.drop({ ids: [refused?.id as string] })).toBe(1)
    await holding.untilAccepted(2)
    expect(names(holding)).toEqual(["a", "a2"])
  })

  it("sends what is sent again though one before it of its row is refused again, where its broker goes on without", async () => {
    const bad = new Set(["a1", "a2"])
    const broker = refusing(bad)
    log.changes.registerBroker("broker", broker, { onPoison: "skip" })
    await log.changes.startRelay({ leaseMs: 1_000 })
    await insert("a")
    for (const name of ["a1", "a2"]) await rename("a", name)
    await log.changes.flush()
    bad.delete("a2")
    const letters = new DeadLetters(query, tables)
    await letters.requeue({})
    await broker.untilAccepted(2)

    expect(names(broker)).toEqual(["a", "a2"])
  })

  it("lets nothing overtake a letter that is asked for while the relay reads which rows are held back", async () => {
    const bad = new Set(["a1"])
    const broker = refusing(bad)
    log.changes.registerBroker("broker", broker)
    const relay = await log.changes.startRelay()
    await insert("a")
    for (const name of ["a1", "a2"]) await rename("a", name)
    await log.changes.flush()
    await relay.stop()
    bad.clear()
    const { heldKeys } = LetterStore.prototype
    jest.spyOn(LetterStore.prototype, "heldKeys").mockImplementationOnce(async function (this: LetterStore) {
      await new DeadLetters(query, tables).requeue({})
      await rename("a", "a3")
      return heldKeys.call(this)
    })
    await log.changes.startRelay({ leaseMs: 1_000 })
    await broker.untilAccepted(4)

    expect(names(broker)).toEqual(["a", "a1", "a2", "a3"])
  })

  it("delivers once more from a time on, and forgets a broker", async () => {
    const broker = recordingBroker()
    log.changes.registerBroker("broker", broker)
    const relay = await log.changes.startRelay()
    for (const name of ["a", "b", "c"]) await insert(name)
    await broker.untilAccepted(3)
    await relay.stop()
    const [, second] = await log.observer.query<{ id: string }[]>("SELECT id FROM change_events.log ORDER BY id")
    expect(await rewind(query, tables, "broker", BigInt(second?.id as string))).toBe(true)
    const again = await log.changes.startRelay()
    await broker.untilAccepted(5)
    await again.stop()

    expect(names(broker)).toEqual(["a", "b", "c", "b", "c"])
    expect([await forgetBroker(query, tables, "broker"), await rewind(query, tables, "broker", 1n)]).toEqual([
      true,
      false,
    ])
  })

  it("removes what is old and delivered, and nothing that a broker has not had", async () => {
    const broker = recordingBroker()
    log.changes.registerBroker("broker", broker)
    await ensureCursors(query, tables, { broker: "slow", shards: 1, startAt: "now" })
    const relay = await log.changes.startRelay()
    for (const name of ["a", "b", "c"]) await insert(name)
    await broker.untilAccepted(3)
    await log.changes.flush()
    await log.observer.query("UPDATE change_events.log SET written_at = now() - interval '3 days'")

    // Also a transaction in another database of the server holds a cursor back while it is open: the relay goes on until it has ended.
    let pruned = await pruneOnce(query, tables, 1)
    while (pruned.heldBackBy.length > 1) pruned = await pruneOnce(query, tables, 1)
    expect(pruned).toEqual({ rows: 0, heldBackBy: ["slow"] })
    await relay.stop()
    await forgetBroker(query, tables, "slow")
    expect((await pruneOnce(query, tables, 1)).rows).toBeGreaterThan(0)
    expect(await pruneOnce(query, tables, 1)).toMatchObject({ rows: 0 })
  })

  it("lets go of rows when a transaction ends that was open beside them, though nothing is logged any more", async () => {
    const broker = recordingBroker()
    log.changes.registerBroker("broker", broker)
    const idle = log.observer.createQueryRunner()
    await idle.query("BEGIN")
    await idle.query("SELECT pg_current_xact_id()")
    await log.changes.startRelay()
    await insert("a")
    await broker.untilAccepted(1)
    await log.changes.flush()
    await log.observer.query("UPDATE change_events.log SET written_at = now() - interval '3 days'")
    expect(await pruneOnce(query, tables, 1)).toEqual({ rows: 0, heldBackBy: ["broker"] })
    await idle.query("COMMIT")
    await idle.release()
    let { rows } = await pruneOnce(query, tables, 1)
    while (rows === 0) ({ rows } = await pruneOnce(query, tables, 1))

    expect(rows).toBe(1)
  })

  it("delivers the rest of a copied log, and then goes on", async () => {
    const broker = recordingBroker()
    await ensureCursors(query, tables, { broker: "broker", shards: 1, startAt: "now" })
    for (const name of ["a", "b"]) await insert(name)
    await log.observer.query("UPDATE change_events.meta SET system_identifier = 'another'")
    log.changes.registerBroker("broker", broker)
    await expect(log.changes.startRelay()).rejects.toMatchObject({ code: "CHANGE_LOG_FOREIGN" })
    expect(await adoptChangeLog(query, tables, "rest")).toBe(2)
    await log.changes.startRelay()
    await insert("c")
    await broker.untilAccepted(3)

    expect(names(broker)).toEqual(["a", "b", "c"])
  })

  it("does not adopt a log that is the database's own, and leaves its cursors as they were", async () => {
    await ensureCursors(query, tables, { broker: "broker", shards: 1, startAt: "now" })
    const cursors = () => query("SELECT * FROM change_events.cursor")
    const before = await cursors()

    await expect(adoptChangeLog(query, tables, "nothing")).rejects.toMatchObject({ code: "CHANGE_LOG_OWN" })
    expect(await cursors()).toEqual(before)
  })

  it("shares a broker's work by key, and keeps each row's order when the number of shards changes", async () => {
    const broker = recordingBroker()
    log.changes.registerBroker("broker", broker, { shards: 4 })
    const four = await log.changes.startRelay()
    for (const name of ["a", "b", "c", "d"]) await insert(name)
    for (const name of ["a", "b", "c", "d"]) await rename(name, `${name}1`)
    await broker.untilAccepted(8)
    expect(
      four
        .status()
        .cursors.map(({ shard }) => shard)
        .sort(),
    ).toEqual([0, 1, 2, 3])
    await four.stop()
    await log.changes.deregisterBroker("broker")
    log.changes.registerBroker("broker", broker, { shards: 2 })
    await log.changes.startRelay()
    for (const name of ["a", "b", "c", "d"]) await rename(name, `${name}2`)
    await log.changes.flush()

    expect(log.logged).toEqual([])
    const firsts = [...new Set(names(broker))]
    for (const name of ["a", "b", "c", "d"]) {
      expect(firsts.filter((each) => each.startsWith(name))).toEqual([name, `${name}1`, `${name}2`])
    }
  })

  it("loses, repeats and disorders nothing of 16 writers, beside a transaction that stays open", async () => {
    const broker = recordingBroker({ batches: true, keepsOrder: true })
    log.changes.registerBroker("broker", broker)
    const writers = await log.database.dataSource({ poolSize: 17 })
    const idle = writers.createQueryRunner()
    await idle.query("BEGIN")
    await idle.query(WRITE, ["idle", "0"])
    await log.changes.startRelay()
    await writers.query("CREATE TABLE hot (k int PRIMARY KEY, v int NOT NULL)")
    await writers.query("INSERT INTO hot SELECT k, 0 FROM generate_series(0, 9) k")
    await Promise.all(Array.from({ length: 16 }, () => writeHotRows(writers, 60)))
    await broker.untilAccepted(16 * 60)
    await idle.query("COMMIT")
    await idle.release()
    await broker.untilAccepted(16 * 60 + 1)
    await log.changes.flush()

    const newest = new Map<string, number>()
    const disordered = broker.accepted.filter(({ key, body }) => {
      const isLate = (newest.get(key) ?? 0) > Number(body)
      newest.set(key, Number(body))
      return isLate
    })
    expect(broker.accepted).toHaveLength(16 * 60 + 1)
    expect(new Set(broker.accepted.map(({ id }) => id)).size).toBe(16 * 60 + 1)
    expect(disordered).toEqual([])
  })
})

const EVENT = `json_build_object('id', gen_random_uuid(), 'kind', 'application', 'topic', 'hot', 'key', $1::text,
  'occurredAt', '2026-01-01T00:00:00.000Z', 'context', '{}'::json)::text`
const WRITE = `INSERT INTO change_events.log (key, event, record) VALUES ($1, ${EVENT}, $2)`

/** The row is written first and the log last, so that ids are drawn in another order than transactions begin. */
async function writeHotRows(writers: DataSource, count: number): Promise<void> {
  for (let n = 0; n < count; n++) {
    const k = Math.floor(Math.random() * 10)
    await writers.transaction(async (manager) => {
      if (n % 2 === 0) await manager.query("SELECT pg_current_xact_id()")
      const [[row]] = await manager.query<[[{ v: number }], number]>(
        "UPDATE hot SET v = v + 1 WHERE k = $1 RETURNING v",
        [k],
      )
      await manager.query(WRITE, [String(k), String(row.v)])
    })
  }
}
