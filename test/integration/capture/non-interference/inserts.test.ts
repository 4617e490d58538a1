import { OddNames } from "../../../../fixtures/hostile/odd-names"
import { QuotedTable } from "../../../../fixtures/hostile/quoted-table"
import { TidiedName } from "../../../../fixtures/hostile/tidied-name"
import { WithoutSchema } from "../../../../fixtures/hostile/without-schema"
import { Device } from "../../../../fixtures/inventory/device"
import { Site } from "../../../../fixtures/inventory/site"
import { Tag } from "../../../../fixtures/inventory/tag"
import { describeTwins, type Twin } from "../../../support/describe-twins"

const insertTag = ({ manager, unique }: Twin) =>
  manager
    .createQueryBuilder()
    .insert()
    .into(Tag)
    .values({ name: unique("t") })

describeTwins((itDoesTheSame) => {
  describe("with and without capture, the same comes of an insert", () => {
    itDoesTheSame("by insert()", async ({ manager, unique }) => {
      const values = { name: unique("rt"), meta: { a: 1 } }
      return [await manager.insert(Device, values), values]
    })

    itDoesTheSame("of several values", async ({ manager, unique }) => {
      const values = [{ name: unique("a") }, { name: unique("b"), color: "ffffff" }]
      return [await manager.insert(Tag, values), values]
    })

    itDoesTheSame("of nothing", ({ manager }) => manager.insert(Tag, []))

    itDoesTheSame("of defaults only", ({ manager }) => manager.insert(WithoutSchema, {}))

    itDoesTheSame("of odd names", ({ manager }) => manager.insert(OddNames, { select: "s", dollar: "$1", new: "n" }))

    itDoesTheSame("into a table with quotes in its name", ({ manager }) => manager.insert(QuotedTable, { value: '"' }))

    itDoesTheSame("into a table named by text", ({ manager, unique }) =>
      manager
        .createQueryBuilder()
        .insert()
        .into("tag")
        .values({ name: unique("t") })
        .execute(),
    )

    itDoesTheSame("into a table that is no entity's", async ({ manager }) => {
      await manager.query("CREATE TABLE IF NOT EXISTS public.loose (id int, name text)")
      return manager
        .createQueryBuilder()
        .insert()
        .into("public.loose", ["id", "name"])
        .values({ id: 1, name: "n" })
        .execute()
    })

    itDoesTheSame("with RETURNING *", (twin) => insertTag(twin).returning("*").execute())
    itDoesTheSame("with RETURNING of columns", (twin) => insertTag(twin).returning(["id", "name"]).execute())
    itDoesTheSame("with RETURNING of expressions", (twin) =>
      insertTag(twin).returning("upper(name) AS loud, 1 AS one").execute(),
    )
    itDoesTheSame("with RETURNING of one name twice", (twin) => insertTag(twin).returning("id, name AS id").execute())
    itDoesTheSame("that does not update its entity", (twin) => insertTag(twin).updateEntity(false).execute())
    itDoesTheSame("that calls no listeners", (twin) => insertTag(twin).callListeners(false).execute())
    itDoesTheSame("in a transaction of its own", (twin) => insertTag(twin).useTransaction(true).execute())

    itDoesTheSame("under an alias", ({ manager, unique }) =>
      manager
        .createQueryBuilder(Tag, "old")
        .insert()
        .values({ name: unique("t") })
        .returning("*")
        .execute(),
    )

    itDoesTheSame("from a SELECT", ({ manager, unique }) =>
      manager
        .createQueryBuilder()
        .insert()
        .into(Tag, ["name"])
        .valuesFromSelect((query) =>
          query
            .select("t.name || :more", "name")
            .from(Tag, "t")
            .where("t.name = 'core'")
            .setParameter("more", unique("-")),
        )
        .execute(),
    )

    itDoesTheSame("or ignore", ({ manager, unique }) =>
      manager
        .createQueryBuilder()
        .insert()
        .into(Tag)
        .values([{ name: "core" }, { name: unique("t") }])
        .orIgnore()
        .execute(),
    )

    itDoesTheSame("of which a trigger drops a row", ({ manager }) => manager.insert(TidiedName, { name: "ignore me" }))
  })

  describe("with and without capture, the same comes of an upsert", () => {
    itDoesTheSame("of new and known rows", async ({ manager, unique, run }) => {
      const values = [{ name: "core", color: `00000${run}` }, { name: unique("t") }]
      return [await manager.upsert(Tag, values, ["name"]), values]
    })

    itDoesTheSame("with version and update date", ({ manager, run }) =>
      manager.upsert(Device, { name: "rt1", serial: "RT-0001", position: run }, ["serial"]),
    )

    itDoesTheSame("that skips what did not change", ({ manager }) =>
      manager.upsert(
        Site,
        { name: "Berlin 1", slug: "ber1" },
        { conflictPaths: ["slug"], skipUpdateIfNoValuesChanged: true },
      ),
    )

    itDoesTheSame("under a condition", (twin) =>
      insertTag(twin)
        .values([{ name: "core", color: "111111" }, { name: twin.unique("u") }])
        .orUpdate(["color"], ["name"], {
          overwriteCondition: { where: "tag.color <> :color", parameters: { color: "111111" } },
        })
        .returning("*")
        .execute(),
    )

    itDoesTheSame("on a partial index", async (twin) => {
      await twin.manager.query("CREATE UNIQUE INDEX IF NOT EXISTS tag_red ON extras.tag (name) WHERE color = 'ff0000'")
      return insertTag(twin)
        .values({ name: "red", color: "ff0000" })
        .orUpdate(["color"], ["name"], { indexPredicate: "color = 'ff0000'" })
        .execute()
    })

    itDoesTheSame("on a named constraint", (twin) =>
      insertTag(twin)
        .values({ name: "lab", color: `00000${twin.run}` })
        .orUpdate(["color"], "tag_name_key")
        .execute(),
    )

    itDoesTheSame("that overwrites nothing", (twin) =>
      insertTag(twin).values({ name: "lab" }).orUpdate([], ["name"]).updateEntity(false).execute(),
    )

    itDoesTheSame("under an alias that Postgres 18 gives a meaning", ({ manager, run }) =>
      manager
        .createQueryBuilder(Tag, "old")
        .insert()
        .values({ name: "lab", color: `10000${run}` })
        .orUpdate(["color"], ["name"])
        .returning("*")
        .execute(),
    )

    itDoesTheSame("that finds a row twice", ({ manager }) =>
      manager.upsert(
        Tag,
        [
          { name: "core", color: "123456" },
          { name: "core", color: "654321" },
        ],
        ["name"],
      ),
    )
  })
})
