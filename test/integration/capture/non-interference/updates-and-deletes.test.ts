import { In } from "typeorm"
import { datasetKeys } from "../../../../fixtures/dataset"
import { ActiveWidget } from "../../../../fixtures/hostile/active-widget"
import { OddNames } from "../../../../fixtures/hostile/odd-names"
import { Shelf } from "../../../../fixtures/hostile/shelf"
import { Book } from "../../../../fixtures/hostile/book"
import { Widget } from "../../../../fixtures/hostile/widget"
import { WithoutSchema } from "../../../../fixtures/hostile/without-schema"
import { Device } from "../../../../fixtures/inventory/device"
import { IPAddress } from "../../../../fixtures/inventory/ip-address"
import { Job } from "../../../../fixtures/inventory/job"
import { JobHook } from "../../../../fixtures/inventory/job-hook"
import { ScheduledJob } from "../../../../fixtures/inventory/scheduled-job"
import { Tag } from "../../../../fixtures/inventory/tag"
import { User } from "../../../../fixtures/inventory/user"
import { describeTwins, type Twin } from "../../../support/describe-twins"

const { devices, jobs, sites } = datasetKeys

const update = ({ manager, run }: Twin) =>
  manager
    .createQueryBuilder()
    .update(Device)
    .set({ position: run + 10 })
const insertTag = ({ manager, unique }: Twin) =>
  manager
    .createQueryBuilder()
    .insert()
    .into(Tag)
    .values({ name: unique("t") })

describeTwins((itDoesTheSame) => {
  describe("with and without capture, the same comes of an update", () => {
    itDoesTheSame("by key, keys and criteria", async ({ manager, run }) => [
      await manager.update(Device, devices.router, { position: run }),
      await manager.update(Device, [devices.switch, devices.spare], { position: run }),
      await manager.update(Device, { site: { id: sites.berlin } }, { status: run === 1 ? "active" : "failed" }),
      await manager.update(Device, { name: "nobody" }, { position: 1 }),
    ])

    itDoesTheSame("by updateAll(), increment() and decrement()", async ({ manager, unique }) => [
      await manager.updateAll(User, { apiToken: unique("t") }),
      await manager.increment(Device, { id: devices.router }, "position", 2),
      await manager.decrement(Device, { name: "rt1" }, "position", 1),
    ])

    itDoesTheSame("with the returning option", ({ manager }) =>
      manager.update(Device, { id: In([1, 2]) }, { position: 4 }, { returning: ["id", "position"] }),
    )

    itDoesTheSame("with RETURNING *", (twin) => update(twin).where("id = 1").returning("*").execute())
    itDoesTheSame("with RETURNING * and more", (twin) =>
      update(twin).where("id = 1").returning("*, upper(name) AS loud").execute(),
    )
    itDoesTheSame("with RETURNING of more and *", (twin) =>
      update(twin).where("id = 1").returning("id + 1 AS next, *").execute(),
    )
    itDoesTheSame("with RETURNING of columns", (twin) => update(twin).returning(["id", "name", "version"]).execute())
    itDoesTheSame("with RETURNING of expressions", (twin) =>
      update(twin).returning("count(*) FILTER (WHERE true)").execute(),
    )
    itDoesTheSame("with RETURNING of a count", (twin) =>
      update(twin).returning("id * 2 AS twice, 'a, b' AS text").execute(),
    )
    itDoesTheSame("with RETURNING of an asterisk in a function", (twin) =>
      update(twin).returning("(SELECT count(*) FROM dcim.site) AS n").execute(),
    )
    itDoesTheSame("that calls no listeners", (twin) => update(twin).where({ id: 1 }).callListeners(false).execute())
    itDoesTheSame("in a transaction of its own", (twin) => update(twin).where({ id: 1 }).useTransaction(true).execute())

    itDoesTheSame("of entities that it completes", async (twin) => {
      const loaded = await twin.manager.find(Device, { where: { id: In([1, 2]) }, order: { id: "ASC" } })
      return [await update(twin).whereEntity(loaded).execute(), loaded]
    })

    itDoesTheSame("of entities that it does not complete", async (twin) => {
      const loaded = await twin.manager.findOneByOrFail(Device, { id: 3 })
      return [await update(twin).whereEntity(loaded).updateEntity(false).execute(), loaded]
    })

    itDoesTheSame("of SQL expressions", ({ manager }) =>
      manager.update(Device, { id: 1 }, { position: () => `"position" + 1`, name: () => "concat(name, serial)" }),
    )

    itDoesTheSame("of expressions that read the table", (twin) =>
      update(twin)
        .set({
          comments: () => `(SELECT string_agg(d.name, ',' ORDER BY d.id) FROM dcim.device d WHERE d.id <> "device".id)`,
        })
        .where("id < 3")
        .execute(),
    )

    itDoesTheSame("with parameters in every part", (twin) =>
      update(twin)
        .set({ name: () => "concat(:first::text, name)" })
        .setParameter("first", "a")
        .where("id IN (:...ids)", { ids: [1, 2] })
        .andWhere("name <> :name", { name: "x" })
        .returning("name, :first::text AS again")
        .execute(),
    )

    itDoesTheSame("of an alias", ({ manager, run }) =>
      manager.createQueryBuilder(Device, "d").update().set({ position: run }).where("id = 1").execute(),
    )

    itDoesTheSame("of a table named by text", ({ manager, run }) =>
      manager.createQueryBuilder().update("dcim.device").set({ position: run }).where("id = 1").execute(),
    )

    itDoesTheSame("of a key", async ({ manager, unique }) => [
      await manager.insert(Shelf, { code: unique("").slice(-12) }),
      await manager.update(Shelf, unique("").slice(-12), { code: `k${unique("").slice(-12)}` }),
    ])

    itDoesTheSame("of odd names", ({ manager }) =>
      manager.update(OddNames, { select: "s" }, { quote: "'", old: "o2", new: "$1" }),
    )

    itDoesTheSame("through a view", async ({ manager, unique }) => {
      await manager.insert(Widget, { name: unique("w") })
      return manager.update(ActiveWidget, { name: unique("w") }, { name: unique("v") })
    })

    itDoesTheSame("of an inheritance", async ({ manager, run }) => [
      await manager.update(Job, jobs.nightlySync, { enabled: run === 0 }),
      await manager.update(ScheduledJob, { enabled: true }, { totalRunCount: run }),
      await manager.update(JobHook, { enabled: true }, { contentTypes: ["a", "b"] }),
      await manager.createQueryBuilder().update(Job).set({ enabled: true }).returning("*").execute(),
    ])
  })

  describe("with and without capture, the same comes of a CTE", () => {
    itDoesTheSame("that reads for an update", (twin) =>
      update(twin)
        .addCommonTableExpression(
          twin.manager.createQueryBuilder(Device, "d").select("d.id", "id").where("d.id < :n", { n: 3 }),
          "few",
        )
        .where("id IN (SELECT id FROM few)")
        .execute(),
    )

    itDoesTheSame("that is text", (twin) =>
      update(twin)
        .addCommonTableExpression("SELECT 1 AS id", "one")
        .where("id IN (SELECT id FROM one)")
        .returning("id")
        .execute(),
    )

    itDoesTheSame("that writes for an update", (twin) =>
      update(twin)
        .addCommonTableExpression(insertTag(twin).updateEntity(false).returning(["id"]), "made")
        .set({ comments: () => "(SELECT count(*)::text FROM made)" })
        .where("name = 'rt1'")
        .execute(),
    )

    itDoesTheSame("that writes for a SELECT", ({ manager, unique }) =>
      manager
        .createQueryBuilder()
        .addCommonTableExpression(`INSERT INTO extras.tag (name) VALUES ('${unique("t")}') RETURNING name`, "made")
        .select("name")
        .from("made", "made")
        .getRawMany(),
    )

    itDoesTheSame("that reads for a delete", async ({ manager, unique }) => {
      await manager.insert(Tag, { name: unique("doomed") })
      return manager
        .createQueryBuilder()
        .addCommonTableExpression(`SELECT '${unique("doomed")}' AS name`, "doomed")
        .delete()
        .from(Tag)
        .where("name IN (SELECT name FROM doomed)")
        .execute()
    })
  })

  describe("with and without capture, the same comes of an update of a key that others point to", () => {
    itDoesTheSame("whether it succeeds or not", async ({ manager, unique }) => {
      const [from, to, taken] = ["f", "t", "x"].map((name) => unique(name).slice(-19)) as [string, string, string]
      const shelf = await manager.save(Shelf, { code: from })
      await manager.insert(Shelf, { code: taken })
      const { id } = await manager.save(Book, { title: "b", shelf, home: shelf })
      const update = () => manager.createQueryBuilder().update(Shelf).where("code LIKE :from", { from })
      return [
        await manager.update(Shelf, from, { code: taken }).catch((error: Error) => error.message),
        await update().set({ code: to, label: "a" }).returning("*").execute(),
        await update().set({ code: to }).execute(),
        await manager.update(Shelf, to, { code: to, label: "b" }),
        await manager.find(Book, { where: { id }, relations: { shelf: true, home: true } }),
      ]
    })
  })

  describe("with and without capture, the same comes of a delete", () => {
    const doomed = async ({ manager, unique }: Twin): Promise<string> => {
      await manager.insert(Tag, [{ name: unique("doomed") }, { name: unique("doomed 2"), color: "dddddd" }])
      return unique("doomed")
    }

    itDoesTheSame("by key and criteria", async (twin) => {
      const name = await doomed(twin)
      const { id } = await twin.manager.findOneByOrFail(Tag, { name })
      return [
        await twin.manager.delete(Tag, id),
        await twin.manager.delete(Tag, { color: "dddddd" }),
        await twin.manager.delete(Tag, id),
      ]
    })

    itDoesTheSame("of all", async ({ manager }) => [
      await manager.deleteAll(WithoutSchema),
      await manager.clear(Widget),
    ])

    itDoesTheSame("by clear(), which leaves the keys' sequences alone", async ({ manager, dataSource, unique }) => {
      const runner = dataSource.createQueryRunner()
      await manager.insert(WithoutSchema, { value: unique("a") })
      const cleared = [await manager.clear(WithoutSchema), await manager.clear(Shelf, { cascade: true })]
      const shelf = await manager.save(Shelf, { code: unique("s").slice(-20) })
      const book = await manager.save(Book, { title: "b", shelf })
      const refused: unknown = await manager.clear(Shelf).catch((error: Error) => error.message)
      const inside: unknown = await manager
        .transaction(async (inner) => {
          await inner.clear(Book)
          await inner.clear(Shelf)
        })
        .catch((error: Error) => error.message)
      const raw: unknown = await runner.query(`TRUNCATE TABLE "hostile"."shelf" CASCADE`, undefined, true)
      await runner.release()
      return [
        cleared,
        book,
        refused,
        inside,
        raw,
        await manager.save(Book, { title: "c", shelf: null } as never).catch(String),
      ]
    })

    itDoesTheSame("with RETURNING", async (twin) => {
      await doomed(twin)
      const remove = () => twin.manager.createQueryBuilder().delete().from(Tag).where("name LIKE 'doomed%'")
      return [
        await remove().andWhere("color = 'dddddd'").returning("*").execute(),
        await remove().returning(["name"]).execute(),
      ]
    })

    itDoesTheSame("that is soft", async ({ manager, run }) => {
      const { id } = await manager.save(IPAddress, { address: `10.7.${run}.1` })
      return [
        await manager.softDelete(IPAddress, id),
        await manager.softDelete(IPAddress, { dnsName: "", address: `10.7.${run}.1` }),
        await manager.restore(IPAddress, id),
        await manager.createQueryBuilder().softDelete().from(IPAddress).where({ id }).returning("*").execute(),
        await manager.createQueryBuilder().restore().from(IPAddress).where({ id }).callListeners(false).execute(),
      ]
    })
  })
})
