import { Book } from "../../../fixtures/hostile/book"
import { Shelf } from "../../../fixtures/hostile/shelf"
import { Device } from "../../../fixtures/inventory/device"
import { Interface } from "../../../fixtures/inventory/interface"
import { Site } from "../../../fixtures/inventory/site"
import { core, lab, tagBuilder, tagsOf, withDevice, withTag } from "./arranged-rows"
import type { WritePath } from "./write-path"

export const relations: readonly WritePath[] = [
  {
    name: "cascade of an insert",
    run: ({ manager, text }) =>
      manager.save(manager.create(Device, { name: text, interfaces: [manager.create(Interface, { name: "e0" })] })),
  },
  {
    name: "one-to-many, added and deleted as an orphan",
    run: withDevice(({ manager }, device) => {
      device.interfaces = [device.interfaces[0] as Interface, manager.create(Interface, { name: "e2" })]
      return manager.save(device)
    }),
  },
  {
    name: "one-to-many, relation builder add() and remove()",
    run: withDevice(async ({ manager }, { id }) => {
      const devices = tagBuilder(manager).relation(Site, "devices").of(1)
      await devices.add(id)
      await devices.remove(id)
    }),
  },
  {
    name: "many-to-one, relation builder set()",
    run: withDevice(({ manager }, { id }) => tagBuilder(manager).relation(Device, "site").of(id).set(2)),
  },
  {
    name: "many-to-many, save() of a new owner",
    run: ({ manager, text }) => manager.save(manager.create(Device, { name: text, tags: [{ id: core }, { id: lab }] })),
  },
  {
    name: "many-to-many, save() of a list",
    run: withDevice(({ manager }, { id }) => manager.save(Device, { id, tags: [{ id: lab }] })),
  },
  {
    name: "many-to-many, save() of a list and a column",
    run: withDevice(({ manager }, { id }) => manager.save(Device, { id, position: 9, tags: [] })),
  },
  {
    name: "many-to-many, relation builder add() and remove()",
    run: withDevice(async ({ manager }, { id }) => {
      await tagsOf(manager, id).add(lab)
      await tagsOf(manager, id).remove(core)
    }),
  },
  {
    name: "many-to-many, a listed row is removed",
    run: withTag(async ({ manager, text, begin }, tag) => {
      await manager.save(manager.create(Device, { name: text, tags: [tag] }))
      await begin()
      await manager.remove(tag)
    }),
  },
  {
    name: "ON DELETE CASCADE and SET NULL, by the database",
    run: withDevice(async ({ manager }, { id, interfaces }) => {
      const [first, second] = interfaces as [Interface, Interface]
      await manager.update(Interface, second.id, { lag: { id: first.id } })
      await manager.delete(Interface, first.id)
      await manager.delete(Device, id)
    }),
  },
  {
    name: "ON UPDATE CASCADE, by the database",
    run: async ({ manager, text, begin }) => {
      await manager.insert(Shelf, { code: text })
      await manager.insert(Book, { title: text, shelf: { code: text } })
      await begin()
      await manager.update(Shelf, text, { code: `${text}:` })
    },
  },
]
