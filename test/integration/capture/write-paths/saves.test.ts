import { datasetKeys } from "../../../../fixtures/dataset"
import { Shelf } from "../../../../fixtures/hostile/shelf"
import { Device } from "../../../../fixtures/inventory/device"
import { Site } from "../../../../fixtures/inventory/site"
import { Tag } from "../../../../fixtures/inventory/tag"
import { User } from "../../../../fixtures/inventory/user"
import { describeWrites, type WriteCase } from "../../../support/describe-writes"
import { withClient } from "../../../support/with-client"

const sql = (expression: string): never => (() => expression) as never

async function newDevice({ manager, unique, begin }: WriteCase): Promise<Device> {
  const { id } = await manager.save(Device, { name: unique("rt"), serial: unique("S"), comments: "keep me" })
  const device = await manager.findOneByOrFail(Device, { id })
  await begin()
  return device
}

describeWrites((itTells) => {
  describe("save() of something new", () => {
    itTells("tells a new row with its defaults", ["create device"], async ({ manager, unique }) => {
      await manager.save(manager.create(Device, { name: unique("rt") }))
    })

    itTells("tells a plain object with its foreign key", ["create device"], ({ manager, unique }) =>
      manager.save(Device, { name: unique("rt"), price: "1.5", site: { id: datasetKeys.sites.berlin } }),
    )

    itTells("tells a row that is not reloaded", ["create device"], ({ manager, unique }) =>
      manager.save(Device, { name: unique("rt") }, { reload: false }),
    )

    itTells("tells the value of an SQL expression", ["create device"], ({ manager, unique }) =>
      manager.save(Device, { name: unique("rt"), comments: sql("upper('loud')") }),
    )

    itTells("tells an array of rows", ["create tag", "create tag", "create tag"], ({ manager, unique }) =>
      manager.save(
        Tag,
        ["a", "b", "c"].map((each) => ({ name: unique(each) })),
      ),
    )

    itTells("tells an array of rows in chunks", ["create tag", "create tag", "create tag"], ({ manager, unique }) =>
      manager.save(
        Tag,
        ["a", "b", "c"].map((each) => ({ name: unique(each) })),
        { chunk: 2 },
      ),
    )

    itTells("tells the key that the database gave in place of a key that is not there", ["create device"], (run) =>
      run.manager.save(Device, { id: 7_000_000 + run.uniqueNumber(), name: run.unique("rt") }),
    )

    itTells("tells a row whose key the application chose", ["create shelf"], ({ manager, unique }) =>
      manager.save(Shelf, { code: unique("s") }),
    )

    itTells("tells a row without calling listeners", ["create tag"], ({ manager, unique }) =>
      manager.save(Tag, { name: unique("silent") }, { listeners: false }),
    )

    itTells("tells a row without a transaction", ["create tag"], ({ manager, unique }) =>
      manager.save(Tag, { name: unique("bare") }, { transaction: false }),
    )

    itTells("tells rows of several entities in one call", ["create tag", "create site"], ({ manager, unique }) =>
      manager.save([manager.create(Tag, { name: unique("t") }), siteOf(manager.create(Site), unique("s"))]),
    )

    itTells("tells nothing of a unique violation", [], async ({ manager, unique }) => {
      await expect(
        manager.save([Tag, Tag].map((each) => manager.create(each, { name: unique("twice") }))),
      ).rejects.toThrow("duplicate key")
    })

    itTells(
      "never tells a column that is not selected",
      ["create user", "update user"],
      async ({ manager, unique }) => {
        const user = await manager.save(User, { username: unique("u"), password: "s3cret" })
        await manager.save(User, { id: user.id, password: "other s3cret", isActive: false })
      },
    )
  })

  describe("save() of what is there", () => {
    itTells("tells a loaded entity that changed", ["update device"], async (run) => {
      const device = await newDevice(run)
      device.status = "active"
      device.position = 7
      await run.manager.save(device)
    })

    itTells("tells a partial object, and does not invent that the rest became null", ["update device"], async (run) => {
      const { id } = await newDevice(run)
      await run.manager.save(Device, { id, position: 9 })
    })

    itTells("tells version and update date of a row that is not reloaded", ["update device"], async (run) => {
      const device = await newDevice(run)
      await run.manager.save(Device, { id: device.id, position: 3 }, { reload: false })
    })

    itTells("tells the value of an SQL expression", ["update device"], async (run) => {
      const { id } = await newDevice(run)
      await run.manager.save(Device, { id, name: sql(`upper("name")`) })
    })

    itTells("tells nothing of a save that writes nothing", [], async (run) => {
      await run.manager.save(await newDevice(run))
    })

    itTells("tells nothing of a hidden column that was written", [], async ({ manager, unique, begin }) => {
      const { id } = await manager.save(User, { username: unique("u") })
      await begin()
      await manager.save(User, { id, password: "s3cret" })
    })

    itTells(
      "tells each change of a row that stands twice in one array",
      ["update device", "update device"],
      async (run) => {
        const { id } = await newDevice(run)
        await run.manager.save(
          Device,
          [
            { id, position: 1 },
            { id, position: 2 },
          ],
          { chunk: 1 },
        )
      },
    )

    itTells(
      "tells an array of changes and new rows",
      ["create tag", "update tag"],
      async ({ manager, unique, begin }) => {
        const tag = await manager.save(Tag, { name: unique("old") })
        await begin()
        await manager.save(Tag, [{ id: tag.id, color: "000000" }, { name: unique("new") }])
      },
    )

    itTells("tells a change without calling listeners", ["update device"], async (run) => {
      const { id } = await newDevice(run)
      await run.manager.save(Device, { id, position: 1 }, { listeners: false })
    })

    itTells("tells a change without a transaction", ["update device"], async (run) => {
      const { id } = await newDevice(run)
      await run.manager.save(Device, { id, position: 1 }, { transaction: false })
    })

    itTells(
      "tells a relation that was set, and one that was taken away",
      ["update device", "update device"],
      async (run) => {
        const { id } = await newDevice(run)
        await run.manager.save(Device, { id, site: { id: datasetKeys.sites.lisbon } })
        await run.manager.save(Device, { id, site: null })
      },
    )

    itTells(
      "tells nothing when another connection deleted the row meanwhile",
      { told: [], untold: ["delete device"] },
      async (run) => {
        const { id } = await newDevice(run)
        await betweenSelectAndUpdate(run, `DELETE FROM dcim.device WHERE id = ${id}`, id)
      },
    )

    itTells(
      "tells what another connection committed between the SELECT and the UPDATE",
      {
        told: ["update device"],
        untold: ["update device"],
      },
      async (run) => {
        const { id } = await newDevice(run)
        await betweenSelectAndUpdate(run, `UPDATE dcim.device SET comments = 'ext', price = 1000 WHERE id = ${id}`, id)
      },
    )
  })
})

function siteOf(site: Site, slug: string): Site {
  return Object.assign(site, { name: slug, slug })
}

/** Has another connection commit a statement after save() has read the row, before it writes it. */
async function betweenSelectAndUpdate(
  { dataSource, manager, url }: WriteCase,
  statement: string,
  id: number,
): Promise<void> {
  let isDone = false
  const intruder = {
    beforeTransactionStart: async (): Promise<void> => {
      if (isDone) return
      isDone = true
      await withClient(url, (client) => client.query(statement))
    },
  }
  dataSource.subscribers.push(intruder)
  try {
    await manager.save(Device, { id, position: 11 })
  } finally {
    dataSource.subscribers.splice(dataSource.subscribers.indexOf(intruder), 1)
  }
  expect(isDone).toBe(true)
}
