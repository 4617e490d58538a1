import { In } from "typeorm"
import { Shelf } from "../../../fixtures/hostile/shelf"
import { Interface } from "../../../fixtures/inventory/interface"
import { IPAddress } from "../../../fixtures/inventory/ip-address"
import { Tag } from "../../../fixtures/inventory/tag"
import { tagBuilder, withAddress, withDevice, withTag } from "./arranged-rows"
import type { WritePath } from "./write-path"

export const statements: readonly WritePath[] = [
  { name: "insert()", run: ({ manager, text }) => manager.insert(Tag, [{ name: `${text} 1` }, { name: `${text} 2` }]) },
  {
    name: "insert, callListeners(false), updateEntity(false)",
    run: ({ manager, text }) =>
      tagBuilder(manager).insert().into(Tag).values({ name: text }).callListeners(false).updateEntity(false).execute(),
  },
  {
    name: "insert, useTransaction(true)",
    run: ({ manager, text }) =>
      tagBuilder(manager).insert().into(Tag).values({ name: text }).useTransaction(true).execute(),
  },
  {
    name: "insert, orIgnore()",
    run: withTag(({ manager, text }, { name }) =>
      tagBuilder(manager)
        .insert()
        .into(Tag)
        .values([{ name }, { name: text }])
        .orIgnore()
        .execute(),
    ),
  },
  {
    name: "upsert(), a new row and an old one",
    run: withTag(({ manager, text }, { name }) =>
      manager.upsert(Tag, [{ name, color: "000004" }, { name: text }], ["name"]),
    ),
  },
  {
    name: "upsert(), skipUpdateIfNoValuesChanged",
    run: withTag(({ manager }, { name, color }) =>
      manager.upsert(Tag, { name, color }, { conflictPaths: ["name"], skipUpdateIfNoValuesChanged: true }),
    ),
  },
  {
    name: "insert from select",
    run: withTag(({ manager, text }, { id }) =>
      tagBuilder(manager)
        .insert()
        .into(Tag, ["name"])
        .valuesFromSelect((query) =>
          query.subQuery().select(`'${text}'`).from(Tag, "tag").where("tag.id = :id", { id }),
        )
        .execute(),
    ),
  },
  { name: "update() by key", run: withTag(({ manager }, { id }) => manager.update(Tag, id, { color: "000005" })) },
  {
    name: "update() by a condition",
    run: withTag(({ manager }, { name }) => manager.update(Tag, { name }, { color: "000006" })),
  },
  { name: "updateAll()", run: withTag(({ manager, number }) => manager.updateAll(Tag, { color: String(number) })) },
  {
    name: "update of a table by name, whereEntity()",
    run: withTag(({ manager }, tag) =>
      tagBuilder(manager).update(Tag).set({ color: "000007" }).whereEntity(tag).execute(),
    ),
  },
  { name: "update() of no row", run: ({ manager, text }) => manager.update(Tag, { name: text }, { color: "0" }) },
  {
    name: "increment() and decrement()",
    run: withDevice(async ({ manager }, { id }) => {
      await manager.update(Interface, { deviceId: id }, { mtu: 1_500 })
      await manager.increment(Interface, { deviceId: id }, "mtu", 1)
      await manager.decrement(Interface, { deviceId: id }, "mtu", 2)
    }),
  },
  {
    name: "update() of a key",
    run: async ({ manager, text, begin }) => {
      await manager.insert(Shelf, { code: text })
      await begin()
      await manager.update(Shelf, text, { code: `${text}.` })
    },
  },
  { name: "delete() by key", run: withTag(({ manager }, { id }) => manager.delete(Tag, id)) },
  {
    name: "delete() by a condition",
    run: withTag(({ manager }, { name }) => manager.delete(Tag, { name: In([name]) })),
  },
  {
    name: "deleteAll()",
    run: async ({ manager, text, begin }) => {
      await manager.insert(Shelf, { code: text })
      await begin()
      await manager.deleteAll(Shelf)
    },
  },
  { name: "softDelete()", run: withAddress(({ manager }, { id }) => manager.softDelete(IPAddress, id)) },
  {
    name: "softDelete() once more, and restore()",
    run: withAddress(async ({ manager }, { id }) => {
      await manager.softDelete(IPAddress, id)
      await manager.softDelete(IPAddress, id)
      await manager.restore(IPAddress, id)
    }),
  },
]
