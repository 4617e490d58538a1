import { Device } from "../../../fixtures/inventory/device"
import { Tag } from "../../../fixtures/inventory/tag"
import { withAddress, withDevice, withTag } from "./arranged-rows"
import type { WritePath } from "./write-path"

export const saves: readonly WritePath[] = [
  { name: "save() of a new entity", run: ({ manager, text }) => manager.save(Tag, { name: text }) },
  {
    name: "save() of a new entity, reload: false",
    run: ({ manager, text }) => manager.save(Tag, { name: text }, { reload: false }),
  },
  {
    name: "save() of a loaded entity",
    run: withTag(({ manager }, tag) => manager.save(Object.assign(tag, { color: "000001" }))),
  },
  {
    name: "save() of a part",
    run: withDevice(({ manager }, { id }) => manager.save(Device, { id, position: 3 })),
  },
  {
    name: "save() of a loaded entity, reload: false",
    run: withTag(({ manager }, tag) => manager.save(Object.assign(tag, { color: "000002" }), { reload: false })),
  },
  { name: "save() that changes nothing", run: withTag(({ manager }, tag) => manager.save(tag)) },
  {
    name: "save() of an SQL expression",
    run: withTag(({ manager }, { id }) => manager.save(Tag, { id, color: (() => "lpad('7', 6, '0')") as never })),
  },
  {
    name: "save() of many, in chunks",
    run: ({ manager, text }) =>
      manager.save(
        [1, 2, 3, 4, 5].map((n) => manager.create(Tag, { name: `${text} ${n}` })),
        { chunk: 2 },
      ),
  },
  {
    name: "save(), listeners: false",
    run: ({ manager, text }) => manager.save(Tag, { name: text }, { listeners: false }),
  },
  {
    name: "save(), transaction: false",
    run: ({ manager, text }) => manager.save(Tag, { name: text }, { transaction: false }),
  },
  {
    name: "save() of a row that is gone",
    run: withTag(async ({ manager }, tag) => {
      await manager.delete(Tag, tag.id)
      await manager.save(Tag, { ...tag, color: "000003" })
    }),
  },
  { name: "remove()", run: withTag(({ manager }, tag) => manager.remove(tag)) },
  { name: "softRemove()", run: withAddress(({ manager }, address) => manager.softRemove(address)) },
  {
    name: "recover()",
    run: withAddress(async ({ manager }, address) => manager.recover(await manager.softRemove(address))),
  },
]
