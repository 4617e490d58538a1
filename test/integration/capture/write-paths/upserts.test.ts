import type { EntityManager } from "typeorm"
import { Shelf } from "../../../../fixtures/hostile/shelf"
import { RoleAssignment } from "../../../../fixtures/identity/role-assignment"
import { datasetKeys } from "../../../../fixtures/dataset"
import { Device } from "../../../../fixtures/inventory/device"
import { Interface } from "../../../../fixtures/inventory/interface"
import { Site } from "../../../../fixtures/inventory/site"
import { Tag } from "../../../../fixtures/inventory/tag"
import { User } from "../../../../fixtures/inventory/user"
import { describeWrites, type WriteCase } from "../../../support/describe-writes"

async function newTag({ manager, unique, begin }: WriteCase, name = "known"): Promise<Tag> {
  const tag = await manager.save(Tag, { name: unique(name) })
  await begin()
  return tag
}

describeWrites((itTells) => {
  describe("upsert()", () => {
    itTells("tells a new row as created", ["create tag"], ({ manager, unique }) =>
      manager.upsert(Tag, { name: unique("t"), color: "abcdef" }, ["name"]),
    )

    itTells("tells a row that was there as updated", ["update tag"], async (run) => {
      const { name } = await newTag(run)
      await run.manager.upsert(Tag, { name, color: "abcdef" }, ["name"])
    })

    itTells("tells each row of a mixed list as what it is", ["create tag", "update tag", "create tag"], async (run) => {
      const { name } = await newTag(run)
      const { unique } = run
      const rows = [{ name: unique("x") }, { name, color: "abcdef" }, { name: unique("y") }]
      await run.manager.upsert(Tag, rows, ["name"])
    })

    itTells("tells nothing of a row that stays as it was", [], async (run) => {
      const { name } = await newTag(run)
      await run.manager.upsert(Tag, { name, color: "9e9e9e" }, ["name"])
    })

    itTells("tells nothing of rows that skipUpdateIfNoValuesChanged skips", ["update tag"], async (run) => {
      const [first, second] = [await newTag(run), await newTag(run, "other")]
      await run.manager.upsert(
        Tag,
        [
          { id: first.id, name: `${first.name}`, color: first.color },
          { id: second.id, name: `${second.name}!`, color: "abcdef" },
        ],
        { conflictPaths: ["id"], skipUpdateIfNoValuesChanged: true },
      )
    })

    itTells(
      "tells a row with version and update date",
      ["create device", "update device"],
      async ({ manager, unique }) => {
        const serial = unique("S")
        await manager.upsert(Device, { name: "rt", serial, position: 1 }, ["serial"])
        await manager.upsert(Device, { name: "rt", serial, position: 2 }, { conflictPaths: ["serial"] })
      },
    )

    itTells("tells an embedded column and a list", ["create site", "update site"], async ({ manager, unique }) => {
      const slug = unique("site")
      await manager.upsert(Site, { name: slug, slug, address: { city: "Köln" } }, ["slug"])
      await manager.upsert(Site, { name: slug, slug, contacts: ["a,b", '"c"', "\\d"] }, ["slug"])
    })

    itTells("tells texts that a composite value must quote", ["update device"], async ({ manager, unique, begin }) => {
      const serial = unique("S")
      await manager.insert(Device, { name: `a,"b"\\(c)`, serial, comments: "", meta: { 'q"': [1, ",", "\\"] } })
      await begin()
      await manager.upsert(Device, { name: " ", serial, comments: '""\n' }, ["serial"])
    })

    itTells(
      "tells a conflict on several columns",
      ["create interface", "update interface"],
      async ({ manager, unique }) => {
        const { router } = datasetKeys.devices
        await manager.upsert(Interface, { deviceId: router, name: unique("e"), mtu: 1500 }, ["deviceId", "name"])
        await manager.upsert(Interface, { deviceId: router, name: unique("e"), mtu: 9000 }, ["deviceId", "name"])
      },
    )

    itTells(
      "tells a key of several columns",
      ["update roleassignment", "update roleassignment"],
      async ({ manager }) => {
        const { users, projects, roles } = datasetKeys
        const key = { userId: users.bob, projectId: projects.billing, roleId: roles.reader }
        const path = ["userId", "projectId", "roleId"]
        await manager.upsert(RoleAssignment, { ...key, inherited: true }, path)
        await manager.upsert(RoleAssignment, { ...key, inherited: false }, path)
      },
    )

    itTells(
      "never tells a column that is not selected",
      ["create user", "update user"],
      async ({ manager, unique }) => {
        const username = unique("u")
        await manager.upsert(User, { username, password: "s3cret" }, ["username"])
        await manager.upsert(User, { username, password: "s3cret 2", isActive: false }, ["username"])
      },
    )

    itTells(
      "tells upserts of one row that run at once as one unbroken chain",
      ["create device", ...Array<string>(7).fill("update device")],
      ({ manager, unique }) =>
        Promise.all(
          Array.from({ length: 8 }, (_, position) =>
            manager.upsert(Device, { name: "hot", serial: unique("hot"), position }, ["serial"]),
          ),
        ),
    )
  })

  describe("orUpdate()", () => {
    const upsert = (manager: EntityManager, values: readonly Partial<Pick<Tag, "id" | "name" | "color">>[]) =>
      manager
        .createQueryBuilder()
        .insert()
        .into(Tag)
        .values([...values])

    itTells("tells created and updated rows", ["update tag", "create tag"], async (run) => {
      const { name } = await newTag(run)
      await upsert(run.manager, [{ name, color: "abcdef" }, { name: run.unique("new") }])
        .orUpdate(["color"], ["name"])
        .execute()
    })

    itTells(
      "tells created and updated rows with a RETURNING of the user's",
      ["update tag", "create tag"],
      async (run) => {
        const { name } = await newTag(run)
        await upsert(run.manager, [{ name, color: "abcdef" }, { name: run.unique("new") }])
          .orUpdate(["color"], ["name"])
          .returning("*")
          .execute()
      },
    )

    itTells(
      "tells a row under an alias that Postgres 18 gives a meaning",
      ["update tag", "create tag"],
      async (run) => {
        const { name } = await newTag(run)
        await run.manager
          .createQueryBuilder(Tag, "old")
          .insert()
          .values([{ name, color: "abcdef" }, { name: run.unique("new") }])
          .orUpdate(["color"], ["name"])
          .execute()
      },
    )

    itTells("tells rows of a constraint named by the user", ["update tag"], async (run) => {
      const { name } = await newTag(run)
      await upsert(run.manager, [{ name, color: "abcdef" }])
        .orUpdate(["color"], "tag_name_key")
        .execute()
    })

    itTells("tells only rows that the overwrite condition lets through", ["update tag"], async (run) => {
      const [locked, free] = [await newTag(run), await newTag(run, "other")]
      await run.manager.update(Tag, locked.id, { color: "000000" })
      await run.begin()
      await run.manager
        .createQueryBuilder()
        .insert()
        .into(Tag)
        .values([locked, free].map(({ id, name }) => ({ id, name: `${name}!`, color: "abcdef" })))
        .orUpdate(["color"], ["id"], {
          overwriteCondition: { where: "tag.color <> :locked", parameters: { locked: "000000" } },
        })
        .execute()
    })

    // Others may point to the key, and follow it.
    const keyTold = (told: string[], table: string) => ({ told, detected: { [table]: 0 } })

    itTells(
      "tells a key that the upsert overwrites",
      keyTold(["update tag", "create tag"], "extras.tag"),
      async (run) => {
        const { name } = await newTag(run)
        const [first, second] = [1, 2].map(
          (kind) => `00000000-0000-4000-9000-${kind}${String(run.uniqueNumber()).padStart(11, "0")}`,
        )
        await upsert(run.manager, [
          { id: first, name, color: "abcdef" },
          { id: second, name: run.unique("new") },
        ])
          .orUpdate(["id", "color"], ["name"])
          .execute()
      },
    )

    itTells(
      "tells a chosen key that the upsert overwrites",
      keyTold(["update shelf"], "hostile.shelf"),
      async ({ manager, unique, begin }) => {
        await manager.query(`CREATE UNIQUE INDEX IF NOT EXISTS shelf_label ON hostile.shelf (label)`)
        await manager.insert(Shelf, { code: unique("s"), label: unique("l") })
        await begin()
        await manager
          .createQueryBuilder()
          .insert()
          .into(Shelf)
          .values({ code: unique("t"), label: unique("l") })
          .orUpdate(["code"], ["label"])
          .execute()
      },
    )

    itTells("tells a conflict on a partial index", ["create tag", "update tag"], async ({ manager, unique }) => {
      await manager.query(`CREATE UNIQUE INDEX IF NOT EXISTS tag_red ON extras.tag (name) WHERE color = 'ff0000'`)
      for (const color of ["ff0000", "00ff00"]) {
        await manager
          .createQueryBuilder()
          .insert()
          .into(Tag)
          .values({ name: unique("red"), color })
          .orUpdate(["color"], ["name"], color === "ff0000" ? { indexPredicate: "color = 'ff0000'" } : {})
          .execute()
      }
    })

    itTells("tells nothing when nothing may be overwritten", [], async (run) => {
      const { name } = await newTag(run)
      await upsert(run.manager, [{ name }]).orUpdate([], ["name"]).updateEntity(false).execute()
    })

    itTells(
      "tells an insert as created after the same transaction upserted and deleted the row",
      ["update tag", "delete tag", "create tag", "create tag"],
      async (run) => {
        const { id, name } = await newTag(run)
        await run.manager.transaction(async (manager) => {
          await upsert(manager, [{ id, name, color: "abcdef" }])
            .orUpdate(["color"], ["name"])
            .execute()
          await manager.delete(Tag, id)
          await upsert(manager, [{ id, name, color: "fedcba" }])
            .orUpdate(["color"], ["name"])
            .execute()
          await manager.insert(Tag, { name: run.unique("other") })
        })
      },
    )

    itTells("tells an insert as created after an upsert that failed", ["create tag"], async (run) => {
      const { id, name } = await newTag(run)
      await run.manager.transaction(async (manager) => {
        const failing = manager.transaction((inner) =>
          upsert(inner, [{ id, name: run.unique("n") }, { name: null as never }])
            .orUpdate(["name"], ["id"])
            .execute(),
        )
        await failing.catch(() => undefined)
        await upsert(manager, [{ name: `${name}?` }])
          .orUpdate(["color"], ["name"])
          .execute()
      })
    })
  })
})
