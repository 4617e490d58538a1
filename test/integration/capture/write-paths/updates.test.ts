import { Brackets, In, Like, Raw } from "typeorm"
import { datasetKeys } from "../../../../fixtures/dataset"
import { Shelf } from "../../../../fixtures/hostile/shelf"
import { RoleAssignment } from "../../../../fixtures/identity/role-assignment"
import { Device } from "../../../../fixtures/inventory/device"
import { Tag } from "../../../../fixtures/inventory/tag"
import { User } from "../../../../fixtures/inventory/user"
import { describeWrites, type WriteCase } from "../../../support/describe-writes"
import { withClient } from "../../../support/with-client"

/** Three devices whose comments name the run. */
async function newDevices({ manager, unique, begin }: WriteCase): Promise<readonly [Device, Device, Device]> {
  const device = (name: string): Promise<Device> =>
    manager.save(
      manager.create(Device, { name: unique(name), serial: unique(name), position: 1, comments: unique("c") }),
    )
  const devices = [await device("a"), await device("b"), await device("c")] as const
  await begin()
  return devices
}

const three = ["update device", "update device", "update device"]

describeWrites((itTells) => {
  describe("update()", () => {
    itTells("tells a row named by its key", ["update device"], async (run) => {
      const [device] = await newDevices(run)
      await run.manager.update(Device, device.id, { position: 5 })
    })

    itTells("tells rows named by their keys", three.slice(1), async (run) => {
      const [first, second] = await newDevices(run)
      await run.manager.update(Device, [first.id, second.id], { position: 5 })
    })

    itTells("tells rows named by a unique column", ["update device"], async (run) => {
      const [device] = await newDevices(run)
      await run.manager.update(Device, { serial: device.serial }, { status: "failed" })
    })

    itTells("tells every row that the criteria match", three, async (run) => {
      await newDevices(run)
      await run.manager.update(Device, { comments: run.unique("c") }, { status: "active" })
    })

    itTells("tells rows that operators match", three.slice(1), async (run) => {
      const [first, second] = await newDevices(run)
      await run.manager.update(Device, { id: In([first.id, second.id]), comments: Like("c-%") }, { position: 5 })
    })

    itTells("tells rows that raw conditions match", ["update device"], async (run) => {
      const [device] = await newDevices(run)
      await run.manager.update(Device, { id: Raw((alias) => `${alias} = :id`, { id: device.id }) }, { position: 6 })
    })

    itTells("tells nothing when no row matches", [], ({ manager }) =>
      manager.update(Device, { name: "nobody" }, { position: 5 }),
    )

    itTells("tells nothing when the row is the same but for its update date and version", [], async (run) => {
      const [device] = await newDevices(run)
      await run.manager.update(Device, device.id, { position: 1 })
    })

    itTells("tells the value of an SQL expression", three, async (run) => {
      await newDevices(run)
      await run.manager.update(
        Device,
        { comments: run.unique("c") },
        { name: () => `"name" || '!'`, position: () => "position + 1" },
      )
    })

    itTells("tells a relation that was set and taken away", ["update device", "update device"], async (run) => {
      const [device] = await newDevices(run)
      await run.manager.update(Device, device.id, { site: { id: datasetKeys.sites.berlin } })
      await run.manager.update(Device, device.id, { site: null })
    })

    itTells("tells an embedded column", ["update site"], ({ manager, unique }) =>
      manager.update("Site", datasetKeys.sites.lisbon, { address: { city: unique("city") } }),
    )

    itTells(
      "tells a row with a key of several columns",
      ["update roleassignment", "update roleassignment"],
      async ({ manager }) => {
        const { users, projects, roles } = datasetKeys
        const key = { userId: users.alice, projectId: projects.platform, roleId: roles.admin }
        await manager.update(RoleAssignment, key, { inherited: false })
        await manager.update(RoleAssignment, key, { inherited: true })
      },
    )

    itTells(
      "tells a key that was changed",
      ["create shelf", "update shelf", "update shelf"],
      async ({ manager, unique }) => {
        await manager.insert(Shelf, { code: unique("s") })
        await manager.update(Shelf, unique("s"), { code: unique("t"), label: "moved" })
        await manager.update(Shelf, { label: "moved" }, { code: unique("u"), label: null })
      },
    )

    itTells(
      "tells every row of updateAll()",
      ["update user", "update user", "update user"],
      async ({ manager, unique, begin }) => {
        await manager.delete(User, { username: Like("u-%") })
        await begin()
        await manager.updateAll(User, { preferences: { theme: unique("t") } })
      },
    )

    itTells("tells increment() and decrement()", [...three, "update device"], async (run) => {
      const [device] = await newDevices(run)
      await run.manager.increment(Device, { comments: run.unique("c") }, "position", 2)
      await run.manager.decrement(Device, { id: device.id }, "position", 1)
    })

    itTells(
      "tells increments that run at once as one unbroken chain",
      Array<string>(8).fill("update device"),
      async (run) => {
        const [device] = await newDevices(run)
        await Promise.all(
          Array.from({ length: 8 }, () => run.manager.increment(Device, { id: device.id }, "position", 1)),
        )
      },
    )
  })

  describe("a query builder's update", () => {
    itTells("tells rows of an entity", ["update device"], async (run) => {
      const [device] = await newDevices(run)
      await run.manager
        .createQueryBuilder()
        .update(Device)
        .set({ position: 5 })
        .where("id = :id", { id: device.id })
        .execute()
    })

    itTells("tells rows of a table named by text", ["update device", "update tag"], async (run) => {
      const [device] = await newDevices(run)
      await run.manager
        .createQueryBuilder()
        .update("dcim.device")
        .set({ position: 5 })
        .where({ id: device.id })
        .execute()
      await run.manager
        .createQueryBuilder()
        .update("Tag")
        .set({ color: String(run.uniqueNumber()).padStart(6, "0") })
        .where("name = 'core'")
        .execute()
    })

    itTells("tells rows that no listeners are called for", three, async (run) => {
      await newDevices(run)
      await run.manager
        .createQueryBuilder()
        .update(Device)
        .set({ position: 5 })
        .where("comments = :comments", { comments: run.unique("c") })
        .callListeners(false)
        .execute()
    })

    itTells("tells rows updated in a transaction of its own", three, async (run) => {
      await newDevices(run)
      await run.manager
        .createQueryBuilder()
        .update(Device)
        .set({ position: 5 })
        .where({ comments: run.unique("c") })
        .useTransaction(true)
        .execute()
    })

    itTells("tells rows with a RETURNING of the user's", [...three, ...three], async (run) => {
      await newDevices(run)
      const update = (position: number) =>
        run.manager
          .createQueryBuilder()
          .update(Device)
          .set({ position })
          .where({ comments: run.unique("c") })
      await update(2).returning("*").execute()
      await update(3).returning(["id", "name"]).execute()
    })

    itTells("tells rows of brackets and sub-queries", three.slice(1), async (run) => {
      const [first, second] = await newDevices(run)
      const query = run.manager.createQueryBuilder().update(Device).set({ position: 5 })
      const names = run.manager
        .createQueryBuilder()
        .subQuery()
        .select("d.id")
        .from(Device, "d")
        .where("d.comments = :comments")
        .getQuery()
      await query
        .where(new Brackets((where) => where.where("id = :a", { a: first.id }).orWhere("id = :b", { b: second.id })))
        .andWhere(`id IN ${names}`, { comments: run.unique("c") })
        .execute()
    })

    itTells(
      "tells the entity that whereEntity() names, and completes it",
      ["update device", "update device"],
      async (run) => {
        const [device, other] = await newDevices(run)
        await run.manager
          .createQueryBuilder()
          .update(Device)
          .set({ position: 5 })
          .whereEntity([device, other])
          .execute()
        expect([device.version, other.version]).toEqual([2, 2])
      },
    )

    itTells("tells rows that a CTE names", three, async (run) => {
      await newDevices(run)
      const wanted = run.manager
        .createQueryBuilder(Device, "d")
        .select("d.id", "id")
        .where("d.comments = :c", { c: run.unique("c") })
      await run.manager
        .createQueryBuilder()
        .addCommonTableExpression(wanted, "wanted")
        .update(Device)
        .set({ position: 5 })
        .where("id IN (SELECT id FROM wanted)")
        .execute()
    })

    itTells("tells nothing of an update that fails", [], async (run) => {
      await newDevices(run)
      const update = run.manager.update(Device, { comments: run.unique("c") }, { serial: "the same" })
      await expect(update).rejects.toThrow("duplicate key")
    })

    itTells(
      "tells what another connection committed while the update waited for its lock",
      { told: ["update device"], untold: ["update device"] },
      async (run) => {
        const [device] = await newDevices(run)
        await withClient(run.url, async (client) => {
          await client.query("BEGIN")
          await client.query("UPDATE dcim.device SET comments = 'first', price = 1 WHERE id = $1", [device.id])
          const { rows } = await client.query<{ pid: number }>("SELECT pg_backend_pid() AS pid")
          const update = run.manager.update(Device, device.id, { position: 9 })
          await blockedBy(run.url, rows[0]?.pid ?? 0)
          await client.query("COMMIT")
          await update
        })
      },
    )
  })

  describe("a write in one transaction with others", () => {
    itTells(
      "tells each change of a row with what was before it",
      ["create tag", "update tag", "update tag", "delete tag", "create tag"],
      ({ manager, unique }) =>
        manager.transaction(async (inner) => {
          const { id } = await inner.save(Tag, { name: unique("t") })
          await inner.update(Tag, id, { color: "111111" })
          await inner.save(Tag, { id, color: "222222" })
          await inner.delete(Tag, id)
          await inner.insert(Tag, { id, name: unique("t") })
        }),
    )
  })
})

/** Resolves once a statement waits for a lock of that server process. */
async function blockedBy(url: string, pid: number): Promise<void> {
  await withClient(url, async (client) => {
    for (;;) {
      const { rowCount } = await client.query("SELECT 1 FROM pg_stat_activity WHERE $1 = ANY (pg_blocking_pids(pid))", [
        pid,
      ])
      if (rowCount) return
    }
  })
}
