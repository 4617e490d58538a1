import { WithoutSchema } from "../../../../fixtures/hostile/without-schema"
import { Device } from "../../../../fixtures/inventory/device"
import { Tag } from "../../../../fixtures/inventory/tag"
import { describeWrites } from "../../../support/describe-writes"

describeWrites((itTells) => {
  describe("insert", () => {
    itTells("tells insert() with the defaults of the database", ["create device"], ({ manager, unique }) =>
      manager.insert(Device, { name: unique("rt") }),
    )

    itTells("tells each row of an insert() of several", ["create tag", "create tag"], ({ manager, unique }) =>
      manager.insert(Tag, [{ name: unique("a") }, { name: unique("b"), color: "ffffff" }]),
    )

    itTells("tells the value of an SQL expression", ["create device"], ({ manager, unique }) =>
      manager.insert(Device, { name: unique("rt"), comments: () => "upper('loud')" }),
    )

    itTells("tells a query builder's insert", ["create tag"], ({ manager, unique }) =>
      manager
        .createQueryBuilder()
        .insert()
        .into(Tag)
        .values({ name: unique("qb") })
        .execute(),
    )

    itTells("tells an insert into a table named by text", ["create tag"], ({ manager, unique }) =>
      manager
        .createQueryBuilder()
        .insert()
        .into("extras.tag")
        .values({ name: unique("qb") })
        .execute(),
    )

    itTells("tells an insert that calls no listeners", ["create tag"], ({ manager, unique }) =>
      manager
        .createQueryBuilder()
        .insert()
        .into(Tag)
        .values({ name: unique("qb") })
        .callListeners(false)
        .execute(),
    )

    itTells("tells an insert that does not update its entity", ["create tag"], ({ manager, unique }) =>
      manager
        .createQueryBuilder()
        .insert()
        .into(Tag)
        .values({ name: unique("qb") })
        .updateEntity(false)
        .execute(),
    )

    itTells("tells an insert in a transaction of its own", ["create tag"], ({ manager, unique }) =>
      manager
        .createQueryBuilder()
        .insert()
        .into(Tag)
        .values({ name: unique("qb") })
        .useTransaction(true)
        .execute(),
    )

    itTells("tells an insert with a RETURNING of the user's", ["create tag"], ({ manager, unique }) =>
      manager
        .createQueryBuilder()
        .insert()
        .into(Tag)
        .values({ name: unique("qb") })
        .returning("*")
        .execute(),
    )

    itTells("tells an insert of nothing but defaults", ["create withoutschema"], ({ manager }) =>
      manager.insert(WithoutSchema, {}),
    )

    itTells("tells the rows that a SELECT gave", ["create tag", "create tag"], async ({ manager, unique, begin }) => {
      await manager.insert(Tag, [{ name: unique("one") }, { name: unique("two") }])
      await begin()
      await manager
        .createQueryBuilder()
        .insert()
        .into(Tag, ["name", "color"])
        .valuesFromSelect((query) =>
          query
            .select("t.name || ' copy'", "name")
            .addSelect("'123456'", "color")
            .from(Tag, "t")
            .where("t.name IN (:...names)", { names: [unique("one"), unique("two")] })
            .orderBy("t.name"),
        )
        .execute()
    })

    itTells("tells nothing of a SELECT that gave no row", [], ({ manager }) =>
      manager
        .createQueryBuilder()
        .insert()
        .into(Tag, ["name"])
        .valuesFromSelect((query) => query.select("t.name").from(Tag, "t").where("false"))
        .execute(),
    )
  })

  describe("insert or ignore", () => {
    itTells("tells only the row that is new", ["create tag"], async ({ manager, unique, begin }) => {
      await manager.insert(Tag, { name: unique("known") })
      await begin()
      await manager
        .createQueryBuilder()
        .insert()
        .into(Tag)
        .values([{ name: unique("known") }, { name: unique("new") }])
        .orIgnore()
        .execute()
    })

    itTells("tells nothing when all rows are known", [], async ({ manager, unique, begin }) => {
      await manager.insert(Tag, { name: unique("known") })
      await begin()
      await manager
        .createQueryBuilder()
        .insert()
        .into(Tag)
        .values({ name: unique("known") })
        .orIgnore()
        .updateEntity(false)
        .execute()
    })
  })
})
