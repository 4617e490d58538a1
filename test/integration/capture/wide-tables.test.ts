import { EntitySchema, type EntitySchemaColumnOptions, type ObjectLiteral } from "typeorm"
import { describeOnEveryPostgres } from "../../servers/test-database"
import { outboxDatabase, type OutboxDatabase } from "../../support/outbox-database"

const COLUMNS = 900

const names = Array.from({ length: COLUMNS - 2 }, (_, index) => `column_${index}`)
const columns: Record<string, EntitySchemaColumnOptions> = {
  id: { type: "int", primary: true },
  count: { type: "int", nullable: true },
  ...Object.fromEntries(names.map((name) => [name, { type: "text", nullable: true }])),
}
const Wide = new EntitySchema<ObjectLiteral>({ name: "wide", columns })

describeOnEveryPostgres((version) => {
  let outbox: OutboxDatabase

  beforeAll(async () => {
    outbox = await outboxDatabase(version, {
      changes: { maxRowsPerStatement: 10 },
      dataSource: { entities: [Wide], poolSize: 8 },
    })
    const texts = names.map((name) => `${name} text`).join(", ")
    await outbox.observer.query(`CREATE TABLE wide (id int PRIMARY KEY, count int, ${texts})`)
  })
  afterAll(() => outbox.close())

  it("chains the images of concurrent writers of a row of 900 columns", async () => {
    const { manager } = outbox.dataSource
    await manager.insert(Wide, { id: 1, count: 0, column_0: '(a,"b\\' })
    await Promise.all(Array.from({ length: 40 }, () => manager.increment(Wide, { id: 1 }, "count", 1)))

    const events = await outbox.events()
    expect(events.map(({ postchange }) => postchange?.["count"])).toEqual(Array.from({ length: 41 }, (_, n) => n))
    expect(events.slice(1).map(({ prechange }) => prechange)).toEqual(
      events.slice(0, -1).map(({ postchange }) => postchange),
    )
    expect(Object.keys(events[40]?.prechange ?? {})).toHaveLength(COLUMNS)
  })

  it("reports what one statement does to more of its rows than may come back, as the documentation says", async () => {
    const { manager } = outbox.dataSource
    await outbox.observer.query("INSERT INTO wide (id) SELECT generate_series(2, 20)")
    const { affected } = await manager.updateAll(Wide, { column_1: "b" })

    expect(affected).toBe(20)
    expect(outbox.changes.status().uncaptured).toEqual({ statements: 1, rows: 20 })
  })
})
