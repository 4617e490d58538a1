import type { DataSource, EntityManager, EntitySubscriberInterface, InsertEvent } from "typeorm"
import { datasetKeys } from "../../../../fixtures/dataset"
import { GeneratedTypes } from "../../../../fixtures/hostile/column-types/generated-types"
import { TransformedTypes } from "../../../../fixtures/hostile/column-types/transformed-types"
import { OddNames } from "../../../../fixtures/hostile/odd-names"
import { QuotedTable } from "../../../../fixtures/hostile/quoted-table"
import { Shipment } from "../../../../fixtures/hostile/shipment"
import { Ticket } from "../../../../fixtures/hostile/ticket"
import { TidiedName } from "../../../../fixtures/hostile/tidied-name"
import { WithoutSchema } from "../../../../fixtures/hostile/without-schema"
import { Region, RegionEntity } from "../../../../fixtures/identity/region"
import { Device } from "../../../../fixtures/inventory/device"
import { Interface } from "../../../../fixtures/inventory/interface"
import { Site } from "../../../../fixtures/inventory/site"
import { Tag } from "../../../../fixtures/inventory/tag"
import { User } from "../../../../fixtures/inventory/user"
import { describeWrites } from "../../../support/describe-writes"

const { sites, devices } = datasetKeys

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

  describe("an entity", () => {
    itTells("with an embedded one", ["create site"], ({ manager, unique }) =>
      manager.save(Site, {
        name: "x",
        slug: unique("x"),
        address: { city: "Köln", country: "DE" },
        contacts: ["a", "b"],
      }),
    )

    itTells("with embedded ones that embed and point", ["create shipment", "update shipment"], async ({ manager }) => {
      const shipment = await manager.save(Shipment, {
        from: { at: new Date("2026-01-01T00:00:00Z"), address: { city: "Köln" }, site: { id: sites.berlin } },
        to: { address: { country: "PT" } },
      })
      await manager.save(Shipment, { id: shipment.id, to: { site: { id: sites.lisbon } }, from: { site: null } })
    })

    itTells(
      "without a class",
      ["create region", "update region", "delete region"],
      async ({ manager, unique, version }) => {
        const id = unique(`region-${version}`)
        const repository = manager.getRepository<Region>(RegionEntity)
        const region = await repository.save({ id, parent: { id: datasetKeys.regions.europe } as Region })
        await repository.update(id, { description: "colder", parent: null })
        await repository.remove(region)
      },
    )

    itTells(
      "with transformers on columns and key",
      ["create ticket", "update ticket", "create user", "create transformedtypes"],
      async ({ manager, uniqueNumber, unique }) => {
        const key = `T-${uniqueNumber()}`
        await manager.insert(Ticket, { key, title: "open" })
        await manager.update(Ticket, key, { title: "closed" })
        await manager.insert(User, { username: unique("u"), email: "LOUD@EXAMPLE.ORG" })
        await manager.insert(TransformedTypes, { lossless: 1.25, bigint: 5n, chained: "AbC" })
      },
    )

    itTells(
      "with columns that the database makes",
      ["create generatedtypes", "update generatedtypes", "delete generatedtypes"],
      async ({ manager }) => {
        const row = await manager.save(GeneratedTypes, { quantity: 3, price: "2.50" })
        await manager.update(GeneratedTypes, row.id, { quantity: 4 })
        await manager.delete(GeneratedTypes, row.id)
      },
    )

    itTells(
      "with names that SQL must quote",
      ["create oddnames", "update oddnames", "update oddnames", "delete oddnames"],
      async ({ manager, unique }) => {
        const text = unique("it's $1")
        const row = await manager.save(OddNames, { select: text, mixedCase: "m", quote: "q", dollar: "$2", old: "o" })
        await manager.update(OddNames, { select: text }, { old: "older", new: "newer", apostrophe: "a'b" })
        await manager.update(OddNames, row.id, { größe: "10", new: "newest" })
        await manager.delete(OddNames, { new: "newest" })
      },
    )

    itTells(
      "in a table with quotes in its name",
      ["create quotedtable", "update quotedtable", "delete quotedtable"],
      async ({ manager }) => {
        const row = await manager.save(QuotedTable, { value: "v" })
        await manager.update(QuotedTable, { value: "v" }, { value: "w" })
        await manager.delete(QuotedTable, row.id)
      },
    )

    itTells(
      "in no schema of its own",
      ["create withoutschema", "update withoutschema", "delete withoutschema"],
      async ({ manager, unique }) => {
        const value = unique("v")
        await manager.insert(WithoutSchema, { value })
        await manager.update(WithoutSchema, { value }, { value: `${value}!` })
        await manager.delete(WithoutSchema, { value: `${value}!` })
      },
    )

    itTells(
      "that points to another of its kind",
      ["create interface", "update interface"],
      async ({ manager, unique }) => {
        const { id } = await manager.save(Interface, { name: unique("e"), deviceId: devices.switch, speed: 10 })
        await manager.update(Interface, id, { lag: { id: datasetKeys.interfaces.bond } })
      },
    )
  })

  describe("a BEFORE trigger", () => {
    itTells(
      "that changes the row is heard",
      ["create tidiedname", "update tidiedname", "update tidiedname"],
      async ({ manager, unique }) => {
        const row = await manager.save(TidiedName, { name: `  ${unique("padded")}  ` })
        await manager.save(TidiedName, { id: row.id, name: `${unique("again")} ` })
        await upsertNames(manager, [{ id: row.id, name: ` ${unique("more")}` }])
      },
    )

    itTells("that drops the write leaves nothing to tell", [], async ({ manager, unique, begin }) => {
      const row = await manager.save(TidiedName, { name: unique("kept") })
      await begin()
      await manager.insert(TidiedName, { name: "ignore me" })
      await manager.update(TidiedName, row.id, { name: "ignore me" })
      await upsertNames(manager, [{ id: row.id, name: "ignore me" }])
    })

    itTells("that drops one row of several leaves the others", ["create tidiedname"], ({ manager, unique }) =>
      manager
        .createQueryBuilder()
        .insert()
        .into(TidiedName)
        .values([{ name: "ignore me" }, { name: unique("kept") }])
        .updateEntity(false)
        .execute(),
    )

    itTells(
      "that drops an upsert's update does not make the next row's insert one",
      ["create tidiedname"],
      async (run) => {
        const { manager, unique, uniqueNumber, begin } = run
        const row = await manager.save(TidiedName, { name: unique("kept") })
        await begin()
        await upsertNames(manager, [
          { id: row.id, name: "ignore me" },
          { id: 5_000_000 + uniqueNumber(), name: unique("new") },
        ])
      },
    )
  })

  describe("another subscriber", () => {
    itTells("that changes the entity after the insert changes no image", ["create tag"], async (run) => {
      const subscriber = { afterInsert: ({ entity }: { entity: { name?: string } }) => void (entity.name = "mutated") }
      await withSubscriber(run.dataSource, subscriber, () => run.manager.save(Tag, { name: run.unique("t") }))
    })

    itTells(
      "that changes the entity before the insert changes the row, and so the image",
      ["create tag"],
      async (run) => {
        const name = run.unique("by a subscriber")
        const subscriber = { beforeInsert: ({ entity }: { entity: { name?: string } }) => void (entity.name = name) }
        await withSubscriber(run.dataSource, subscriber, () => run.manager.save(Tag, { name: run.unique("t") }))
      },
    )

    itTells("that writes through the event's manager is heard", ["create device", "create tag"], async (run) => {
      const subscriber = {
        afterInsert: async ({ entity, manager }: InsertEvent<Device>): Promise<void> => {
          if (entity instanceof Device) await manager.insert(Tag, { name: `of ${entity.name}` })
        },
      }
      await withSubscriber(run.dataSource, subscriber, () =>
        run.manager.save(run.manager.create(Device, { name: run.unique("rt") })),
      )
    })
  })
})

async function withSubscriber(
  dataSource: DataSource,
  subscriber: EntitySubscriberInterface,
  work: () => Promise<unknown>,
): Promise<void> {
  dataSource.subscribers.push(subscriber)
  try {
    await work()
  } finally {
    dataSource.subscribers.splice(dataSource.subscribers.indexOf(subscriber), 1)
  }
}

/** TypeORM leaves a generated key out of an insert unless its column is named. */
async function upsertNames(manager: EntityManager, rows: readonly { id: number; name: string }[]): Promise<void> {
  await manager
    .createQueryBuilder()
    .insert()
    .into(TidiedName, ["id", "name"])
    .values([...rows])
    .orUpdate(["name"], ["id"])
    .updateEntity(false)
    .execute()
}
