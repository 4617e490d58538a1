import { Like } from "typeorm"
import { datasetKeys } from "../../../../fixtures/dataset"
import { Book } from "../../../../fixtures/hostile/book"
import { Shelf } from "../../../../fixtures/hostile/shelf"
import { WithoutSchema } from "../../../../fixtures/hostile/without-schema"
import { RoleAssignment } from "../../../../fixtures/identity/role-assignment"
import { Device } from "../../../../fixtures/inventory/device"
import { Tag } from "../../../../fixtures/inventory/tag"
import { User } from "../../../../fixtures/inventory/user"
import { describeWrites, type WriteCase } from "../../../support/describe-writes"

async function newDevices({ manager, unique, begin }: WriteCase): Promise<readonly [Device, Device]> {
  const site = { id: datasetKeys.sites.berlin }
  const device = (name: string): Promise<Device> =>
    manager.save(manager.create(Device, { name: unique(name), comments: unique("c"), site }))
  const devices = [await device("a"), await device("b")] as const
  await begin()
  return devices
}

const two = ["delete device", "delete device"]

describeWrites((itTells) => {
  describe("delete()", () => {
    itTells("tells a row named by its key", ["delete device"], async (run) => {
      const [device] = await newDevices(run)
      await run.manager.delete(Device, device.id)
    })

    itTells("tells rows named by their keys", two, async (run) => {
      const devices = await newDevices(run)
      await run.manager.delete(
        Device,
        devices.map(({ id }) => id),
      )
    })

    itTells("tells every row that the criteria match", two, async (run) => {
      await newDevices(run)
      await run.manager.delete(Device, { comments: run.unique("c") })
    })

    itTells("tells nothing when no row matches", [], ({ manager }) => manager.delete(Device, { name: Like("nobody%") }))

    itTells("tells every row of deleteAll()", ["delete withoutschema", "delete withoutschema"], async (run) => {
      await run.manager.insert(WithoutSchema, [{ value: "a" }, { value: null }])
      await run.begin()
      await run.manager.deleteAll(WithoutSchema)
    })

    itTells(
      "tells a row with a key of several columns",
      ["create roleassignment", "delete roleassignment"],
      async ({ manager }) => {
        const { users, projects, roles } = datasetKeys
        const key = { userId: users.carol, projectId: projects.billing, roleId: roles.reader }
        await manager.insert(RoleAssignment, { ...key })
        await manager.delete(RoleAssignment, key)
      },
    )

    itTells("never tells a column that is not selected", ["delete user"], async ({ manager, unique, begin }) => {
      await manager.insert(User, { username: unique("u"), password: "s3cret" })
      await begin()
      await manager.delete(User, { username: unique("u") })
    })
  })

  describe("a query builder's delete", () => {
    itTells("tells the rows", two, async (run) => {
      await newDevices(run)
      await run.manager
        .createQueryBuilder()
        .delete()
        .from(Device)
        .where("comments = :c", { c: run.unique("c") })
        .execute()
    })

    itTells("tells rows of a table named by text", two, async (run) => {
      await newDevices(run)
      await run.manager
        .createQueryBuilder()
        .delete()
        .from("dcim.device")
        .where("comments = :c", { c: run.unique("c") })
        .execute()
    })

    itTells("tells rows that no listeners are called for", two, async (run) => {
      await newDevices(run)
      await run.manager
        .createQueryBuilder()
        .delete()
        .from(Device)
        .where({ comments: run.unique("c") })
        .callListeners(false)
        .execute()
    })

    itTells("tells rows with a RETURNING of the user's", two, async (run) => {
      await newDevices(run)
      const { raw } = await run.manager
        .createQueryBuilder()
        .delete()
        .from(Device)
        .where({ comments: run.unique("c") })
        .returning(["id", "name"])
        .execute()
      expect(raw).toEqual([
        { id: expect.any(Number), name: run.unique("a") },
        { id: expect.any(Number), name: run.unique("b") },
      ])
    })

    itTells("tells nothing of a delete that fails", [], async ({ manager }) => {
      await expect(manager.delete(User, datasetKeys.users.alice)).rejects.toThrow("violates foreign key constraint")
    })
  })

  describe("remove()", () => {
    itTells("tells a loaded entity", ["delete device"], async (run) => {
      const [{ id }] = await newDevices(run)
      await run.manager.remove(await run.manager.findOneByOrFail(Device, { id }))
    })

    itTells("tells an object of nothing but its key", ["delete device"], async (run) => {
      const [{ id }] = await newDevices(run)
      await run.manager.remove(Device, { id } as Device)
    })

    itTells("tells nothing of a row that is not there", [], ({ manager }) =>
      manager.remove(Device, { id: -1 } as Device),
    )

    itTells(
      "tells an array, and nothing of what is not there",
      ["delete tag", "delete tag"],
      async ({ manager, unique, begin }) => {
        const [first, second] = await manager.save(Tag, [{ name: unique("a") }, { name: unique("b") }])
        await begin()
        await manager.remove(Tag, [first, { id: datasetKeys.users.alice } as Tag, second] as Tag[])
      },
    )

    itTells("tells a row without calling listeners", ["delete device"], async (run) => {
      const [{ id }] = await newDevices(run)
      await run.manager.remove(Device, { id } as Device, { listeners: false })
    })

    itTells("tells a row without a transaction", ["delete device"], async (run) => {
      const [{ id }] = await newDevices(run)
      await run.manager.remove(Device, { id } as Device, { transaction: false })
    })

    itTells("tells nothing of the second of two that remove the same row", ["delete device"], async (run) => {
      const [{ id }] = await newDevices(run)
      const load = () => run.manager.findOneByOrFail(Device, { id })
      const [first, second] = [await load(), await load()]
      await run.manager.remove(first)
      await run.manager.remove(second)
    })
  })

  describe("a foreign key that deletes or clears rows in the database", () => {
    itTells(
      "is told with what it did to the children",
      ["delete shelf", "delete book", "update book"],
      async ({ manager, unique, begin }) => {
        const [shelf, other] = await manager.save(Shelf, [{ code: unique("s"), label: "x" }, { code: unique("t") }])
        await manager.insert(Book, { title: unique("gone"), shelf: { code: shelf?.code as string } })
        await manager.insert(Book, {
          title: unique("homeless"),
          shelf: { code: other?.code as string },
          home: { code: shelf?.code as string },
        })
        await begin()
        await manager.delete(Shelf, shelf?.code)
      },
    )
  })
})
