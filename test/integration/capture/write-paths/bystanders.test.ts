import type { DataSource, EntityManager, EntitySubscriberInterface, InsertEvent } from "typeorm"
import { TidiedName } from "../../../../fixtures/hostile/tidied-name"
import { Device } from "../../../../fixtures/inventory/device"
import { Tag } from "../../../../fixtures/inventory/tag"
import { describeWrites } from "../../../support/describe-writes"

describeWrites((itTells) => {
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

    itTells("that drops a row of an upsert leaves the next one a create", ["create tidiedname"], async (run) => {
      const { manager, unique, uniqueNumber, begin } = run
      const row = await manager.save(TidiedName, { name: unique("kept") })
      await begin()
      await upsertNames(manager, [
        { id: row.id, name: "ignore me" },
        { id: 5_000_000 + uniqueNumber(), name: unique("new") },
      ])
    })
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
