import type { DataSource } from "typeorm"
import { Site } from "../../../fixtures/inventory/site"
import { Tag } from "../../../fixtures/inventory/tag"
import { changeEvents, type ChangeEvents, type ChangeEventsOptions } from "../../../src"
import { createChangeLog } from "../../../src/outbox/change-log-schema"
import { startPgBouncer, type PgBouncer } from "../../servers/pgbouncer"
import { createTestDatabase, describeOnEveryPostgres, type TestDatabase } from "../../servers/test-database"
import { recordingBroker, type RecordingBroker } from "../../support/recording-broker"
import { withClient } from "../../support/with-client"

const WRITERS = 8
const TRANSACTIONS = 20
const UNDONE = "undone"

/** As the installed PgBouncer is, Debian 12's knows no named statements; then a newer one that does not know them either, and that does. */
const named = [undefined, 0, 200]

describeOnEveryPostgres((version) => {
  let database: TestDatabase
  let pooler: PgBouncer
  let changes: ChangeEvents
  let dataSource: DataSource
  let broker: RecordingBroker
  let logged: string[]
  /** What the writers' transactions failed with. */
  let failures: unknown[]

  async function connect(preparedStatements: ChangeEventsOptions["preparedStatements"]): Promise<void> {
    const note = (line: string): void => void logged.push(line)
    changes = changeEvents({
      delivery: "outbox",
      maxRowsPerStatement: 50,
      preparedStatements,
      brokers: { broker },
      logger: { warn: note, error: note },
    })
    dataSource = await database.dataSource({ url: pooler.url, poolSize: WRITERS, subscribers: [changes.subscriber] })
  }

  /** As an application does whose transaction failed. */
  async function untilDone<Result>(work: () => Promise<Result>): Promise<Result> {
    for (;;) {
      try {
        return await work()
      } catch (error) {
        failures.push(error)
        if (failures.length > 100) throw error
      }
    }
  }

  const write = async (writer: number): Promise<void> => {
    const tags = dataSource.getRepository(Tag)
    const { id } = await untilDone(() => tags.save({ name: `writer ${writer}`, color: "000000" }))
    for (let n = 1; n <= TRANSACTIONS; n++) {
      await untilDone(() => changeTag(id, String(n).padStart(6, "0")))
      if (n % 5 === 0) await tags.update({ id }, { name: `writer ${writer} ${n}` })
    }
  }

  const changeTag = (id: string, color: string): Promise<void> =>
    dataSource.transaction(async (manager) => {
      await manager.update(Tag, id, { color })
      const undone = manager.transaction(async (inner) => {
        await inner.insert(Site, { name: "gone", slug: `gone ${id} ${color}` })
        throw new Error(UNDONE)
      })
      await undone.catch((error: Error) => {
        if (error.message !== UNDONE) throw error
      })
    })

  async function writeAll(): Promise<void> {
    await Promise.all(Array.from({ length: WRITERS }, (_, writer) => write(writer)))
    const sites = Array.from({ length: 60 }, (_, n) => ({ name: `s${n}`, slug: `s${n}` }))
    await dataSource.getRepository(Site).insert(sites)
    await dataSource.manager.updateAll(Site, { status: "planned" })
    await changes.flush()
  }

  /** One event for each change that was committed, and of each row in the order of its changes. */
  function expectExactEvents(): void {
    const perWriter = 1 + TRANSACTIONS + TRANSACTIONS / 5
    expect(broker.accepted).toHaveLength(WRITERS * perWriter + 120)
    const stories = new Map<string, string[]>()
    for (const { topic, key, body } of broker.accepted) {
      if (topic.endsWith(".tag")) stories.set(key, [...(stories.get(key) ?? []), body])
    }
    expect(stories.size).toBe(WRITERS)
    for (const story of stories.values()) {
      const bodies = story.map((body) => JSON.parse(body) as { prechange: unknown; postchange: unknown })
      for (const [index, { prechange }] of bodies.slice(1).entries())
        expect(prechange).toEqual(bodies[index]?.postchange)
    }
  }

  describe.each(named)("in transaction mode, max_prepared_statements %s", (maxPreparedStatements) => {
    beforeEach(async () => {
      database = await createTestDatabase(version)
      pooler = await startPgBouncer(database.url, { poolSize: 3, maxPreparedStatements })
      await withClient(database.url, async (client) => {
        for (const statement of createChangeLog()) await client.query(statement)
      })
      logged = []
      failures = []
      broker = recordingBroker({ batches: true, keepsOrder: true })
    })
    afterEach(async () => {
      await changes.close()
      await database.drop()
      await pooler.stop()
    })

    it.each(["auto", false] as const)(
      "captures, logs and delivers exactly, where many share three connections (preparedStatements: %s)",
      async (preparedStatements) => {
        await connect(preparedStatements)
        const relay = await changes.startRelay()
        await writeAll()

        expect([failures, logged]).toEqual([[], []])
        expect(relay.status().isListening).toBe(false)
        expectExactEvents()
      },
    )

    it("gives up names that the pooler mixes up, without an event lost", async () => {
      await connect(true)
      await changes.startRelay()
      await writeAll()

      // A transaction of the application's fails once for each of its connections at most, and is not committed.
      expect(failures.length).toBeLessThanOrEqual(maxPreparedStatements === 200 ? 0 : 2 * WRITERS)
      expect(failures.map(String).filter((text) => !/prepared statement|change log/.test(text))).toEqual([])
      expectExactEvents()
    })
  })
})
