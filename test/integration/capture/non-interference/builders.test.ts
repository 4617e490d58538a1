import type { EntityManager, QueryBuilder } from "typeorm"
import { changeEvents } from "../../../../src"
import { fixtureEntities } from "../../../../fixtures/fixture-entities"
import { hostileEntities } from "../../../../fixtures/hostile/hostile-entities"
import { OddNames } from "../../../../fixtures/hostile/odd-names"
import { Device } from "../../../../fixtures/inventory/device"
import { IPAddress } from "../../../../fixtures/inventory/ip-address"
import { ScheduledJob } from "../../../../fixtures/inventory/scheduled-job"
import { Tag } from "../../../../fixtures/inventory/tag"
import { createTestDatabase, describeOnEveryPostgres, type TestDatabase } from "../../../servers/test-database"

type Build = (manager: EntityManager) => QueryBuilder<never>
const as = (builder: unknown): QueryBuilder<never> => builder as QueryBuilder<never>

const builders: Readonly<Record<string, Build>> = {
  insert: (manager) => as(manager.createQueryBuilder().insert().into(Tag).values({ name: "a" })),
  "insert of several": (manager) =>
    as(
      manager
        .createQueryBuilder()
        .insert()
        .into(Tag)
        .values([{ name: "a" }, { name: "b" }]),
    ),
  "insert with RETURNING": (manager) =>
    as(manager.createQueryBuilder().insert().into(Tag).values({ name: "a" }).returning("*")),
  "insert of a SELECT": (manager) =>
    as(
      manager
        .createQueryBuilder()
        .insert()
        .into(Tag, ["name"])
        .valuesFromSelect((query) => query.select("t.name || '!'", "name").from(Tag, "t")),
    ),
  upsert: (manager) =>
    as(manager.createQueryBuilder().insert().into(Tag).values({ name: "a" }).orUpdate(["color"], ["name"])),
  "conditional upsert": (manager) =>
    as(
      manager
        .createQueryBuilder()
        .insert()
        .into(Tag)
        .values({ name: "a" })
        .orUpdate(["color"], ["name"], { overwriteCondition: { where: "tag.color <> 'x'" } }),
    ),
  update: (manager) => as(manager.createQueryBuilder().update(Device).set({ position: 1 }).where({ id: 1 })),
  "update with RETURNING": (manager) =>
    as(manager.createQueryBuilder().update(Device).set({ position: 1 }).where("id = :id", { id: 1 }).returning(["id"])),
  "update of a child": (manager) =>
    as(manager.createQueryBuilder().update(ScheduledJob).set({ crontab: "x" }).where("enabled")),
  "update of odd names": (manager) =>
    as(manager.createQueryBuilder().update(OddNames).set({ quote: "'" }).where({ select: "s" })),
  "update with a CTE": (manager) =>
    as(
      manager
        .createQueryBuilder()
        .addCommonTableExpression("SELECT 1 AS id", "one")
        .update(Device)
        .set({ position: 2 })
        .where("id IN (SELECT id FROM one)"),
    ),
  delete: (manager) => as(manager.createQueryBuilder().delete().from(Tag).where("name = :name", { name: "a" })),
  softDelete: (manager) => as(manager.createQueryBuilder().softDelete().from(IPAddress).where({ dnsName: "nowhere" })),
  restore: (manager) => as(manager.createQueryBuilder().restore().from(IPAddress).where({ dnsName: "nowhere" })),
  select: (manager) =>
    as(manager.createQueryBuilder(Device, "d").leftJoin("d.site", "s").where("s.slug = :slug", { slug: "ber1" })),
}

describeOnEveryPostgres((version) => {
  let database: TestDatabase
  let bare: EntityManager
  let captured: EntityManager

  beforeAll(async () => {
    database = await createTestDatabase(version)
    const entities = [...fixtureEntities, ...hostileEntities]
    bare = (await database.dataSource({ entities })).manager
    captured = (await database.dataSource({ entities, subscribers: [changeEvents().subscriber] })).manager
  })
  afterAll(() => database.drop())

  describe.each(Object.entries(builders))("the builder of %s", (_, build) => {
    it("tells the same SQL and parameters with and without capture", () => {
      const [without, withCapture] = [build(bare), build(captured)]

      expect(told(withCapture)).toEqual(told(without))
      expect(withCapture).toBeInstanceOf(without.constructor)
    })

    it("tells the same SQL after it was executed as before", async () => {
      const [without, withCapture] = [build(bare), build(captured)]

      await executeAndRollBack(bare, without)
      await executeAndRollBack(captured, withCapture)

      expect(told(withCapture)).toEqual(told(without))
    })
  })
})

const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}/g

/** All that a builder says of its statement, but for the keys that the database invented when it was executed. */
function told(builder: QueryBuilder<never>): unknown {
  const all = {
    sql: builder.getSql(),
    query: builder.getQuery(),
    queryAndParameters: builder.getQueryAndParameters(),
    parameters: builder.getParameters(),
    cloned: builder.clone().getSql(),
  }
  return JSON.parse(JSON.stringify(all).replace(UUID, "<uuid>"))
}

/** Three times, so that it is also sent prepared. */
async function executeAndRollBack(manager: EntityManager, builder: QueryBuilder<never>): Promise<void> {
  const runner = manager.dataSource.createQueryRunner()
  const runnable = builder as unknown as { execute(): Promise<unknown> }
  builder.setQueryRunner(runner)
  for (let run = 0; run < 3; run++) {
    await runner.startTransaction()
    await runnable.execute().finally(() => runner.rollbackTransaction())
  }
  await runner.release()
}
