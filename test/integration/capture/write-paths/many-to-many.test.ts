import { datasetKeys } from "../../../../fixtures/dataset"
import type { EntityManager } from "typeorm"
import { Rota } from "../../../../fixtures/hostile/rota"
import { Shift } from "../../../../fixtures/hostile/shift"
import { Group } from "../../../../fixtures/identity/group"
import { Trust } from "../../../../fixtures/identity/trust"
import { Device } from "../../../../fixtures/inventory/device"
import { Tag } from "../../../../fixtures/inventory/tag"
import { describeWrites, type WriteCase } from "../../../support/describe-writes"

const { users, roles } = datasetKeys
const { core, lab } = datasetKeys.tags

async function newDevice({ manager, unique, begin }: WriteCase, ...tags: readonly string[]): Promise<Device> {
  const device = await manager.save(manager.create(Device, { name: unique("rt"), tags: tags.map((id) => ({ id })) }))
  await begin()
  return device
}

const tagsOf = ({ manager }: WriteCase, id: number) => manager.createQueryBuilder().relation(Device, "tags").of(id)

describeWrites((itTells) => {
  describe("the relation builder of a many-to-many", () => {
    itTells(
      "tells what it adds and removes, each as an update of the owner",
      ["update device", "update device"],
      async (run) => {
        const { id } = await newDevice(run)
        await tagsOf(run, id).add([core, lab])
        await tagsOf(run, id).remove(core)
      },
    )

    itTells(
      "tells both sides of addAndRemove() as the statements that they are",
      ["update device", "update device"],
      async (run) => {
        const { id } = await newDevice(run, core)
        await tagsOf(run, id).addAndRemove([lab], [core])
      },
    )

    itTells("of the other side tells each owner", ["update device", "update device"], async (run) => {
      const [first, second] = [await newDevice(run, core), await newDevice(run)]
      await run.manager.createQueryBuilder().relation(Tag, "devices").of(lab).add([first.id, second.id])
    })

    itTells("tells nothing when it removes what is not there", [], async (run) => {
      const { id } = await newDevice(run, core)
      await tagsOf(run, id).remove(lab)
    })

    itTells("tells nothing of what is added and removed in one transaction", [], async (run) => {
      const { id } = await newDevice(run, core)
      await run.manager.transaction(async (manager) => {
        await manager.createQueryBuilder().relation(Device, "tags").of(id).add(lab)
        await manager.createQueryBuilder().relation(Device, "tags").of(id).remove(lab)
      })
    })

    itTells("works on a relation without an inverse property", ["update group"], async (run) => {
      const group = await run.manager.save(Group, { name: run.unique("g") })
      await run.begin()
      const members = run.manager.createQueryBuilder().relation(Group, "members").of(group.id)
      await members.add([users.bob, users.alice])
    })
  })

  describe("save() of a many-to-many", () => {
    itTells("tells a new owner once, with its list", ["create device", "create tag"], async ({ manager, unique }) => {
      const tags = [{ id: core }, { name: unique("new") }]
      await manager.save(Device, { name: unique("rt"), tags })
    })

    itTells("tells an owner of which only the list changed", ["update device"], async (run) => {
      const device = await newDevice(run, core)
      await run.manager.save(Device, { id: device.id, tags: [{ id: lab }] })
    })

    itTells("folds the list into the update of the owner", ["update device"], async (run) => {
      const device = await newDevice(run, core)
      await run.manager.save(Device, { id: device.id, tags: [{ id: lab }], position: 4 })
    })

    itTells("tells a list that is cleared", ["update device"], async (run) => {
      const device = await newDevice(run, core, lab)
      await run.manager.save(Device, { id: device.id, tags: [] })
    })

    itTells("tells nothing when nothing changes", [], async (run) => {
      const device = await newDevice(run, core)
      await run.manager.save(Device, { id: device.id, tags: [{ id: core }] })
    })

    itTells("of the other side tells each owner", ["update device", "update device"], async (run) => {
      const [first, second] = [await newDevice(run, lab), await newDevice(run)]
      const tag = await run.manager.save(Tag, { name: run.unique("t"), devices: [{ id: first.id }] })
      await run.begin()
      await run.manager.save(Tag, { id: tag.id, devices: [{ id: second.id }] })
    })

    itTells("tells 300 tags of one device in one event", ["create device"], async ({ manager, unique, begin }) => {
      const tags = await manager.save(
        Tag,
        Array.from({ length: 300 }, (_, index) => ({ name: unique(`t${index}`) })),
      )
      await begin()
      await manager.save(Device, { name: unique("rt"), tags })
    })
  })

  describe("a removal", () => {
    itTells("of the owner tells the list that it had", ["delete device"], async (run) => {
      const device = await newDevice(run, core, lab)
      await run.manager.remove(device)
    })

    itTells("of a listed row tells its owners", ["update device", "delete tag"], async (run) => {
      const tag = await run.manager.save(run.manager.create(Tag, { name: run.unique("t") }))
      await newDevice(run, core, tag.id)
      await run.manager.remove(tag)
    })
  })

  describe("a soft-removed owner", () => {
    itTells(
      "is told as deleted and created again with its list where that changed",
      ["delete trust", "create trust"],
      async ({ manager, begin }) => {
        const { alice, bob } = users
        const trust = await manager.save(Trust, {
          trustorUserId: alice,
          trusteeUserId: bob,
          roles: [{ id: roles.admin }],
        })
        await begin()
        const list = (writer: EntityManager) => writer.createQueryBuilder().relation(Trust, "roles").of(trust.id)
        await manager.transaction(async (writer) => {
          await writer.softDelete(Trust, trust.id)
          await list(writer).remove(roles.admin)
        })
        await manager.transaction(async (writer) => {
          await writer.restore(Trust, trust.id)
          await list(writer).add(roles.reader)
        })
      },
    )
  })

  describe("keys of several columns, and of the same table", () => {
    itTells(
      "tell an owner whose key has two columns",
      ["create shift", "update shift", "delete shift"],
      async (run) => {
        const { manager, uniqueNumber, unique, begin } = run
        const [first, second] = await manager.save(Rota, [{ name: unique("a") }, { name: unique("b") }])
        await begin()
        const key = {
          place: `it's "here", \\\\or (not)`,
          number: String(9_007_199_254_740_993n + BigInt(uniqueNumber())),
        }
        await manager.save(Shift, { ...key, rotas: [first as Rota] })
        await manager.createQueryBuilder().relation(Shift, "rotas").of(key).add(second)
        await manager.remove(await manager.findOneByOrFail(Shift, key))
      },
    )

    itTells("tell a row that lists its like", ["update rota", "update rota"], async ({ manager, unique, begin }) => {
      const [first, second] = await manager.save(Rota, [{ name: unique("a") }, { name: unique("b") }])
      await begin()
      await manager.save(Rota, { id: first?.id as number, reliefs: [first as Rota, second as Rota] })
      await manager.save(Rota, { id: second?.id as number, reliefOf: [] })
    })
  })

  describe("one transaction", () => {
    itTells(
      "that updates the owner twice tells the list in the first of them",
      ["update device", "update device"],
      async (run) => {
        const { id } = await newDevice(run, core)
        await run.manager.transaction(async (manager) => {
          await manager.update(Device, id, { position: 1 })
          await manager.createQueryBuilder().relation(Device, "tags").of(id).add(lab)
          await manager.update(Device, id, { position: 2 })
        })
      },
    )

    itTells("that touches a list several times tells it once", ["update device"], async (run) => {
      const { id } = await newDevice(run)
      await run.manager.transaction(async (manager) => {
        const tags = () => manager.createQueryBuilder().relation(Device, "tags").of(id)
        await tags().add(core)
        await tags().add(lab)
        await tags().remove(core)
      })
    })

    itTells("that rolls back to a savepoint tells what is left", ["update device"], async (run) => {
      const { id } = await newDevice(run)
      await run.manager.transaction(async (manager) => {
        await manager.createQueryBuilder().relation(Device, "tags").of(id).add(core)
        const inner = manager.transaction(async (nested) => {
          await nested.createQueryBuilder().relation(Device, "tags").of(id).add(lab)
          throw new Error("inner")
        })
        await inner.catch(() => undefined)
      })
    })

    itTells("that is rolled back tells nothing", [], async (run) => {
      const { id } = await newDevice(run)
      const work = run.manager.transaction(async (manager) => {
        await manager.createQueryBuilder().relation(Device, "tags").of(id).add(core)
        throw new Error("after")
      })
      await work.catch(() => undefined)
    })

    itTells("that fails at a junction row outside a transaction tells nothing", [], async (run) => {
      const { id } = await newDevice(run, core)
      await expect(tagsOf(run, id).add(core)).rejects.toThrow("duplicate key")
    })
  })

  describe("raw SQL on a junction", () => {
    itTells("is noticed", { told: [], detected: { "dcim.device_tag": 1 }, untold: ["update device"] }, async (run) => {
      const { id } = await newDevice(run)
      await run.manager.query(`INSERT INTO dcim.device_tag ("deviceId", "tagId") VALUES ($1, $2)`, [id, core])
    })
  })
})
