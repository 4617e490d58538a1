import { setTimeout as pause } from "node:timers/promises"
import { Site } from "../../../fixtures/inventory/site"
import type { OutgoingEvent } from "../../../src"
import { record } from "../../../src/formats/record"
import { memoryBroker } from "../../../src/testing"
import { describeOnEveryPostgres } from "../../servers/test-database"
import { outboxDatabase, type OutboxDatabase } from "../../support/outbox-database"
import { recordingBroker } from "../../support/recording-broker"
import { secondProcess } from "../../support/second-process"

const EVENT = {
  id: "0190c0de-0000-7000-8000-000000000001",
  kind: "application",
  topic: "order.placed",
  key: "order",
  occurredAt: "2026-01-01T00:00:00.000Z",
  context: {},
}

/** What a row of the log may hold that is no event, each with a key of its own. */
const corruptRows: Readonly<Record<string, readonly [event: string | null, record: string | null]>> = {
  "no JSON": ["{", "{}"],
  null: ["null", "{}"],
  "a number": ["1", "{}"],
  "a list": ["[]", "{}"],
  "no topic": [JSON.stringify({ ...EVENT, topic: undefined }), "{}"],
  "a topic that is no text": [JSON.stringify({ ...EVENT, topic: { a: 1 } }), "{}"],
  "no context": [JSON.stringify({ ...EVENT, context: undefined }), "{}"],
  "no time": [JSON.stringify({ ...EVENT, occurredAt: undefined }), "{}"],
  "a time that is none": [JSON.stringify({ ...EVENT, occurredAt: "yesterday" }), "{}"],
  "no record": [JSON.stringify(EVENT), null],
  nothing: [null, null],
}

describeOnEveryPostgres((version) => {
  let log: OutboxDatabase

  beforeEach(async () => {
    log = await outboxDatabase(version, { changes: { maxRowsPerStatement: 1 } })
  })
  afterEach(() => log.close())

  const insert = (name: string) => log.dataSource.getRepository(Site).insert({ name, slug: name })
  const start = (): Promise<unknown> => log.changes.startRelay()
  const letters = (): Promise<{ key: string; state: string; code: string; event_id: string }[]> =>
    log.observer.query("SELECT key, state, code, event_id FROM change_events.dead_letter ORDER BY log_id")

  /** Resolves when the broker's cursor stands behind so many events. */
  async function untilBooked(broker: string, count: number): Promise<void> {
    const isBooked = async (): Promise<boolean> => {
      const found = await log.observer.query<{ delivered: string }[]>(
        "SELECT delivered FROM change_events.cursor WHERE broker = $1",
        [broker],
      )
      return Number(found[0]?.delivered ?? 0) >= count
    }
    while (!(await isBooked())) await pause(20)
  }

  describe("a relay", () => {
    const breakIt = (statement: string) => log.observer.query(statement)

    beforeEach(() => log.changes.registerBroker("memory", memoryBroker()))

    it.each([
      ["has no tables", "DROP SCHEMA change_events CASCADE", "CHANGE_LOG_MISSING"],
      ["lacks one table", "DROP TABLE change_events.cursor", "CHANGE_LOG_MISSING"],
      ["has tables of another version", "UPDATE change_events.meta SET version = 2", "CHANGE_LOG_VERSION"],
      ["has tables without a version", "DELETE FROM change_events.meta", "CHANGE_LOG_VERSION"],
      ["has tables with two", "INSERT INTO change_events.meta SELECT * FROM change_events.meta", "CHANGE_LOG_VERSION"],
      ["is a restored copy", "UPDATE change_events.meta SET system_identifier = '1'", "CHANGE_LOG_FOREIGN"],
      ["is a copy within its server", "UPDATE change_events.meta SET database_oid = 1", "CHANGE_LOG_FOREIGN"],
    ])("does not start where the database %s", async (_what, statement, code) => {
      await breakIt(statement)
      await expect(start()).rejects.toMatchObject({ name: "ChangeEventsError", code })
    })

    it("starts when what kept it from starting is gone, with the options of the later call", async () => {
      const broker = memoryBroker()
      log.changes.registerBroker("late", broker)
      await insert("before")
      await breakIt("ALTER TABLE change_events.meta RENAME TO gone")
      await expect(log.changes.startRelay({ startAt: "now" })).rejects.toMatchObject({ code: "CHANGE_LOG_MISSING" })
      await breakIt("ALTER TABLE change_events.gone RENAME TO meta")
      await log.changes.startRelay({ startAt: "beginning" })
      await log.changes.flush()

      expect(broker.messages).toHaveLength(1)
    })

    it("does not start with options that are wrong, and names them all", async () => {
      const options = { leaseMs: -5, pollMs: { least: 1, mosd: 2 }, startAt: "latest", lissen: true, prune: "no" }
      await expect(log.changes.startRelay(options as never)).rejects.toMatchObject({
        code: "OPTIONS_INVALID",
        details: {
          faults: [
            "unknown option `lissen`, did you mean `listen`?",
            "leaseMs must be a whole number from 1 to 86400000, got -5",
            "unknown option `pollMs.mosd`, did you mean `pollMs.most`?",
            "pollMs.most must be a whole number from 1 to 86400000, got a undefined",
            'startAt must be one of "beginning", "now", got a string',
            "prune must be one of true, false, got a string",
          ],
        },
      })
    })

    it("does not start without brokers", async () => {
      await log.changes.deregisterBroker("memory")
      await expect(start()).rejects.toMatchObject({ code: "RELAY_WITHOUT_BROKERS" })
    })

    it("does not start where its role may not do what a relay does, and says all of it", async () => {
      const role = `relay_${version}_${Date.now()}`
      await breakIt(`CREATE ROLE ${role} LOGIN`)
      try {
        await breakIt(`GRANT USAGE ON SCHEMA change_events TO ${role}`)
        await breakIt(`GRANT SELECT ON ALL TABLES IN SCHEMA change_events TO ${role}`)
        const url = Object.assign(new URL(log.database.url), { username: role }).href
        const other = await secondProcess(log.database, { url, entities: [] })
        other.changes.registerBroker("memory", memoryBroker())
        await expect(other.changes.startRelay()).rejects.toMatchObject({
          code: "CHANGE_LOG_DENIED",
          details: { missing: expect.arrayContaining(['UPDATE on "change_events"."cursor"']) as unknown },
        })
        await breakIt(`GRANT ALL ON ALL TABLES IN SCHEMA change_events TO ${role}`)
        await expect(other.changes.startRelay()).rejects.toMatchObject({
          code: "CHANGE_LOG_DENIED",
          details: { missing: ["SELECT on SEQUENCE change_events.log_id_seq"] },
        })
        await breakIt(`REVOKE USAGE ON SCHEMA change_events FROM ${role}`)
        await expect(other.changes.startRelay()).rejects.toMatchObject({ code: "CHANGE_LOG_DENIED" })
        await other.dataSource.destroy()
      } finally {
        await breakIt(`DROP OWNED BY ${role}`)
        await breakIt(`DROP ROLE ${role}`)
      }
    })

    it("does not start where the database does not answer", async () => {
      const port = Object.assign(new URL(log.database.url), { port: "1" }).href
      Object.assign((log.dataSource.driver as unknown as { master: { options: object } }).master.options, {
        connectionString: port,
        port: 1,
      })
      await expect(start()).rejects.toMatchObject({
        code: "RELAY_FAILED",
        cause: expect.objectContaining({ code: "ECONNREFUSED" }) as unknown,
      })
    })

    it("is one, also when it is started twice at once", async () => {
      await Promise.all([start(), start()])
      await log.changes.flush()

      expect(await log.observer.query("SELECT id FROM change_events.relay")).toHaveLength(1)
    })

    it("does not start where writing is switched off, and goes on when it was so for a while", async () => {
      const broker = recordingBroker()
      log.changes.registerBroker("broker", broker)
      const { pathname } = new URL(log.database.url)
      const database = pathname.slice(1)
      const writing = async (isOff: "on" | "off"): Promise<void> => {
        await breakIt(`ALTER DATABASE ${database} SET default_transaction_read_only = ${isOff}`)
        await breakIt(
          `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'change-events relay'
           AND datname = current_database()`,
        )
      }
      await writing("on")
      await expect(start()).rejects.toMatchObject({ code: "CHANGE_LOG_READ_ONLY" })
      await writing("off")
      await log.changes.startRelay({ leaseMs: 5_000 })
      // The application's own session, made before: a new one of its pool would be read-only as well.
      const runner = log.dataSource.createQueryRunner()
      const write = (name: string) => runner.manager.insert(Site, { name, slug: name })
      await write("a")
      await broker.untilAccepted(1)
      await log.changes.flush()
      await breakIt(`ALTER DATABASE ${database} SET default_transaction_read_only = on`)
      await breakIt(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'change-events relay'
         AND datname = current_database()`,
      )
      await write("b")
      await broker.untilAccepted(2)
      await breakIt(`ALTER DATABASE ${database} SET default_transaction_read_only = off`)
      await write("c")
      await untilBooked("broker", 3)
      await runner.release()

      expect(new Set(broker.accepted.map(({ key }) => key)).size).toBe(3)
    })
  })

  it("is led by exactly one of two processes that serve one broker", async () => {
    const brokers = [recordingBroker(), recordingBroker()] as const
    const other = await secondProcess(log.database)
    log.changes.registerBroker("broker", brokers[0])
    other.changes.registerBroker("broker", brokers[1])
    const relays = await Promise.all([log.changes.startRelay(), other.changes.startRelay()])
    await Promise.all([log.changes.flush(), other.changes.flush()])
    for (const name of ["a", "b", "c"]) await insert(name)
    await Promise.race(brokers.map((broker) => broker.untilAccepted(3)))
    await Promise.all([log.changes.flush(), other.changes.flush()])

    expect(relays.map((relay) => relay.status().cursors.length).sort()).toEqual([0, 1])
    expect(brokers.map(({ calls }) => calls.length).sort()).toEqual([0, 3])
    await other.changes.close()
  })

  it.each([
    ["ends with half a character where it is cut", `${"x".repeat(1_999)}😀`],
    ["holds a character that Postgres cannot store", "a\u0000b"],
  ])("goes on behind a refusal, and behind a failure, whose text %s", async (_what, text) => {
    const answers = [new Error(text), Object.assign(new Error(text), { retryable: false })]
    const broker = recordingBroker({ answer: () => answers.shift() })
    log.changes.registerBroker("broker", broker, { delivery: { retryDelayMs: 1, maxRetryDelayMs: 2 } })
    await log.changes.startRelay()
    for (const name of ["a", "b"]) await insert(name)
    await untilBooked("broker", 1)

    expect(await letters()).toMatchObject([{ state: "rejected", code: "PUBLISH_FAILED" }])
    expect([broker.calls.length, log.logged]).toEqual([3, []])
  })

  it.each([record(), (event: OutgoingEvent) => record()(event)])(
    "puts a refused event under the key that the log has, by which shards are told, control characters or not",
    async (format) => {
      const broker = recordingBroker({ answer: () => Object.assign(new Error("no"), { retryable: false }) })
      log.changes.registerBroker("broker", broker, { format, shards: 4 })
      await log.dataSource.manager.query(
        "INSERT INTO change_events.log (key, event, record) VALUES ('a\\n1', $1, '{}')",
        [JSON.stringify({ ...EVENT, key: "a\n1" })],
      )
      await start()
      await log.changes.flush()

      expect(await letters()).toMatchObject([{ key: "a\\n1", state: "rejected" }])
      expect(broker.calls.flat().map(({ key }) => key)).toEqual(["a\n1"])
    },
  )

  describe("a corrupt row of the log", () => {
    const write = (key: string, event: string | null, record: string | null) =>
      log.observer.query("INSERT INTO change_events.log (key, event, record) VALUES ($1, $2, $3)", [key, event, record])

    it("becomes a dead letter for every broker, and nothing around it is lost", async () => {
      const brokers = [recordingBroker(), recordingBroker({ batches: true, keepsOrder: true })] as const
      log.changes.registerBroker("one", brokers[0])
      log.changes.registerBroker("batch", brokers[1], { onPoison: "skip" })
      const names = Object.keys(corruptRows)
      for (const [key, [event, record]] of Object.entries(corruptRows)) {
        await write(key, event, record)
        await insert(key)
        await write(key, JSON.stringify({ ...EVENT, key }), '"behind"')
      }
      await start()
      await log.changes.flush()

      const bodies = (index: 0 | 1) => brokers[index].accepted.map(({ body }) => body)
      expect(bodies(0)).toHaveLength(names.length)
      expect(bodies(1)).toHaveLength(2 * names.length)
      const found = await letters()
      const rejected = found.filter(({ state }) => state === "rejected")
      expect(rejected.map(({ key }) => key)).toEqual(names.flatMap((name) => [name, name]))
      expect(new Set(rejected.map(({ code }) => code))).toEqual(new Set(["EVENT_UNSERIALIZABLE"]))
      expect(found.filter(({ state }) => state === "held").map(({ key }) => key)).toEqual(names)
    })

    it("becomes one, too, where the server itself wrote it", async () => {
      const broker = recordingBroker()
      log.changes.registerBroker("broker", broker)
      const rows = [1, 2, 3, 4, 5, 6].map((n) => ({ name: `site-${n}`, slug: `site-${n}` }))
      await log.dataSource.getRepository(Site).insert(rows)
      await log.dataSource.manager.updateAll(Site, { status: "planned" })
      const corrupt = (n: number, change: string): Promise<unknown> =>
        log.observer.query(`UPDATE change_events.log SET ${change} WHERE id =
          (SELECT max(id) FROM change_events.log WHERE old_row LIKE '%,site-${n},%')`)
      const [{ oid }] = await log.observer.query<[{ oid: string }]>(
        `INSERT INTO change_events.statement (body) VALUES ('{"entity":') RETURNING id AS oid`,
      )
      await corrupt(1, "old_row = '(1,2'")
      await corrupt(2, "old_row = 'what is this'")
      await corrupt(3, "statement_id = 4711")
      await corrupt(4, `statement_id = ${oid}`)
      await start()
      await log.changes.flush()

      const delivered = broker.accepted.filter(({ topic }) => topic.startsWith("update."))
      expect(
        delivered.map(({ body }) => (JSON.parse(body) as { postchange: { name: string } }).postchange.name),
      ).toEqual(["site-5", "site-6"])
      expect((await letters()).map(({ state, code }) => [state, code])).toEqual(
        [1, 2, 3, 4].map(() => ["rejected", "EVENT_UNSERIALIZABLE"]),
      )
    })
  })
})
