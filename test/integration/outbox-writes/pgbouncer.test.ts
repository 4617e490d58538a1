import type { DataSource } from "typeorm"
import { Site } from "../../../fixtures/inventory/site"
import { Tag } from "../../../fixtures/inventory/tag"
import { changeEvents, type ChangeEvents } from "../../../src"
import { createChangeLog } from "../../../src/outbox/change-log-schema"
import { startPgBouncer, type PgBouncer } from "../../servers/pgbouncer"
import { createTestDatabase, describeOnEveryPostgres, type TestDatabase } from "../../servers/test-database"
import { recordingBroker, type RecordingBroker } from "../../support/recording-broker"
import { withClient } from "../../support/with-client"

const WRITERS = 8
const TRANSACTIONS = 20

describeOnEveryPostgres((version) => {
  let database: TestDatabase
  let pooler: PgBouncer
  let changes: ChangeEvents
  let dataSource: DataSource
  let broker: RecordingBroker
  let logged: string[]

  beforeEach(async () => {
    database = await createTestDatabase(version)
    pooler = await startPgBouncer(database.url, 3)
    await withClient(database.url, async (client) => {
      for (const statement of createChangeLog()) await client.query(statement)
    })
    logged = []
    broker = recordingBroker({ batches: true, keepsOrder: true })
    const note = (line: string): void => void logged.push(line)
    changes = changeEvents({
      delivery: "outbox",
      maxRowsPerStatement: 50,
      brokers: { broker },
      logger: { warn: note, error: note },
    })
    dataSource = await database.dataSource({ url: pooler.url, poolSize: WRITERS, subscribers: [changes.subscriber] })
  })
  afterEach(async () => {
    await changes.close()
    await database.drop()
    await pooler.stop()
  })

  const write = async (writer: number): Promise<void> => {
    const { id } = await dataSource.getRepository(Tag).save({ name: `writer ${writer}`, color: "000000" })
    for (let n = 1; n <= TRANSACTIONS; n++) {
      const color = String(n).padStart(6, "0")
      await dataSource.transaction(async (manager) => {
        await manager.update(Tag, id, { color })
        await manager
          .transaction(async (inner) => {
            await inner.insert(Site, { name: "gone", slug: `gone ${writer} ${n}` })
            throw new Error("undone")
          })
          .catch(() => undefined)
      })
      if (n % 5 === 0) await dataSource.getRepository(Tag).update({ id }, { name: `writer ${writer} ${n}` })
    }
  }

  it("captures, logs and delivers exactly in transaction mode, where many share three connections", async () => {
    const relay = await changes.startRelay()
    await Promise.all(Array.from({ length: WRITERS }, (_, writer) => write(writer)))
    await dataSource
      .getRepository(Site)
      .insert(Array.from({ length: 60 }, (_, n) => ({ name: `s${n}`, slug: `s${n}` })))
    await dataSource.manager.updateAll(Site, { status: "planned" })
    await changes.flush()

    expect(logged).toEqual([])
    expect(relay.status().isListening).toBe(false)
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
  })
})
