import type { DataSource } from "typeorm"
import { columnSamples } from "../../../fixtures/hostile/column-samples"
import { columnTypeEntities, hostileEntities } from "../../../fixtures/hostile/hostile-entities"
import { ClosureNode } from "../../../fixtures/hostile/closure-node"
import { Book } from "../../../fixtures/hostile/book"
import { DeferredUnique } from "../../../fixtures/hostile/deferred-unique"
import { Shelf } from "../../../fixtures/hostile/shelf"
import { Widget } from "../../../fixtures/hostile/widget"
import { fixtureEntities } from "../../../fixtures/fixture-entities"
import { Device } from "../../../fixtures/inventory/device"
import { IPAddress } from "../../../fixtures/inventory/ip-address"
import { Job } from "../../../fixtures/inventory/job"
import { ScheduledJob } from "../../../fixtures/inventory/scheduled-job"
import { Site } from "../../../fixtures/inventory/site"
import { Tag } from "../../../fixtures/inventory/tag"
import { User } from "../../../fixtures/inventory/user"
import { withChangeContext, type ChangeEventsOptions } from "../../../src"
import { describeOnEveryPostgres } from "../../servers/test-database"
import { comparableEvents } from "../../support/comparable-events"
import { outboxDatabase, type LoggedEvent, type OutboxDatabase } from "../../support/outbox-database"

const KEY = "a key of more than sixteen characters"

const entities = [...new Set([...fixtureEntities, ...hostileEntities, ...columnTypeEntities])]

const changes: Partial<ChangeEventsOptions> = {
  sensitiveHashKey: KEY,
  entities: [
    { entity: User, sensitive: { email: "mask", username: "hash", preferences: "omit" } },
    { entity: Site, sensitive: { id: "hash" } },
    ...entities.filter((entity) => entity !== User && entity !== Site),
  ],
}

describeOnEveryPostgres((version) => {
  /** Writes rows into the log on the server whenever a statement may change several, and changes more than one. */
  let onServer: OutboxDatabase
  /** Writes all of them from here. */
  let fromHere: OutboxDatabase

  beforeAll(async () => {
    onServer = await outboxDatabase(version, {
      changes: { ...changes, maxRowsPerStatement: 1 },
      dataSource: { entities },
    })
    fromHere = await outboxDatabase(version, { changes, dataSource: { entities } })
  })
  afterAll(() => Promise.all([onServer.close(), fromHere.close()]))

  async function bothTell(work: (dataSource: DataSource) => Promise<unknown>): Promise<readonly LoggedEvent[]> {
    for (const { dataSource, observer } of [onServer, fromHere]) {
      await observer.query("TRUNCATE change_events.log, change_events.statement")
      await withChangeContext({ userName: "alice", changeContext: "Job" }, () => work(dataSource))
    }
    const events = await onServer.events()
    expect(comparableEvents(events)).toEqual(comparableEvents(await fromHere.events()))
    return events
  }

  const rowsOnServer = async (): Promise<number> => {
    const [{ count }] = await onServer.observer.query<[{ count: string }]>(
      "SELECT count(*) FROM change_events.log WHERE statement_id IS NOT NULL",
    )
    return Number(count)
  }

  it.each(columnSamples.map((sample) => [(sample.entity as { name: string }).name, sample] as const))(
    "tells the same of every column type of %s",
    async (_name, { entity, values }) => {
      await bothTell(async ({ manager }) => {
        for (const [property, samples] of Object.entries(values)) {
          for (const value of samples) await manager.insert(entity, { [property]: value })
        }
        const properties = Object.entries(values).map(([property, samples]) => [property, samples[0]] as const)
        await manager.updateAll(entity, Object.fromEntries(properties))
        await manager.updateAll(entity, Object.fromEntries(properties.map(([property]) => [property, null])))
        await manager.deleteAll(entity)
      })

      expect(await rowsOnServer()).toBeGreaterThan(2)
    },
  )

  it("hides sensitive values and keys as it does here", async () => {
    const events = await bothTell(async ({ manager }) => {
      const name = (n: number): string => `secret-${n}`
      await manager.insert(
        User,
        [1, 2, 3].map((n) => ({ id: `00000000-0000-4000-8000-00000000000${n}`, username: name(n), email: name(n) })),
      )
      await manager.updateAll(User, { email: "secret-4", lastLogin: new Date(0), dateJoined: new Date(0) })
      await manager.updateAll(User, { email: null })
      await manager.insert(
        Site,
        [1, 2].map((n) => ({ name: name(n), slug: name(n) })),
      )
      await manager.updateAll(Site, { status: "planned" })
      await manager.query(`UPDATE users."user" SET "dateJoined" = now() WHERE false`)
      await manager.deleteAll(User)
      await manager.deleteAll(Site)
    })

    expect(events.filter(({ model }) => model === "user")).toHaveLength(12)
    expect(await rowsOnServer()).toBe(3 * 3 + 2 * 2)
    const stored = JSON.stringify(
      await onServer.observer.query(
        "SELECT * FROM change_events.log LEFT JOIN change_events.statement s ON s.id = statement_id WHERE key LIKE 'users%'",
      ),
    )
    expect(stored).not.toContain("secret-")
  })

  it("tells soft-removes, recovers, inheritance, embedded and composite keys as it does here", async () => {
    await bothTell(async ({ manager }) => {
      await manager.insert(IPAddress, [{ address: "10.0.0.1/24" }, { address: "10.0.0.2/24" }])
      await manager.createQueryBuilder().softDelete().from(IPAddress).execute()
      await manager.createQueryBuilder().restore().from(IPAddress).execute()
      await manager.createQueryBuilder().delete().from(IPAddress).execute()
      await manager.insert(Job, [{ name: "j" }, { name: "k" }])
      await manager.insert(ScheduledJob, [{ name: "l" }, { name: "m" }])
      await manager.createQueryBuilder().update(Job).set({ enabled: false }).execute()
      await manager.createQueryBuilder().delete().from(Job).execute()
      await manager.insert(Device, [{ name: "a" }, { name: "b" }])
      await manager
        .createQueryBuilder()
        .update(Device)
        .set({ position: () => "coalesce(position, 0) + 1" })
        .execute()
      await manager.insert(Widget, [{ name: "w" } as never, { name: "x" } as never])
      await manager.createQueryBuilder().delete().from(Widget).execute()
      await manager.createQueryBuilder().delete().from(Device).execute()
    })

    expect(await rowsOnServer()).toBeGreaterThan(4)
  })

  it("tells a tree's closure rows as it does here", async () => {
    const events = await bothTell(async ({ manager }) => {
      const save = (name: string, parent: ClosureNode | null) =>
        manager.save(manager.create(ClosureNode, { name, parent: parent as ClosureNode }))
      const root = await save("root", null)
      const child = await save("child", root)
      await save("leaf", child)
      child.parent = await save("other", null)
      await manager.save(child)
    })

    expect(events.filter(({ model }) => model === "closure_node_closure")).toHaveLength(11)
    expect(await rowsOnServer()).toBeGreaterThan(4)
  })

  it("tells what clear() removes as it does here, also of the tables that it takes along", async () => {
    const events = await bothTell(async (dataSource) => {
      const { manager } = dataSource
      await manager.insert(
        User,
        [1, 2].map((n) => ({ id: `00000000-0000-4000-8000-00000000001${n}`, username: `u${n}`, email: "secret-5" })),
      )
      await manager.insert(Shelf, [{ code: "a" }, { code: "b" }])
      await manager.insert(Book, [
        { title: "a", shelf: { code: "a" } },
        { title: "b", shelf: { code: "b" } },
      ])
      await dataSource.transaction(async (inner) => {
        await inner.insert(Shelf, { code: "c" })
        await inner.clear(Shelf, { cascade: true })
      })
      await manager.clear(User, { cascade: true })
      await manager.clear(DeferredUnique)
    })

    expect(events.filter(({ action }) => action === "delete").map(({ model }) => model)).toEqual([
      ...["shelf", "shelf", "shelf", "book", "book"],
      ...["user", "user"],
    ])
    expect(await rowsOnServer()).toBe(7)
    expect(onServer.logged.filter((line) => /shelf|book|deferred/.test(line))).toEqual([])
  })

  it("tells what foreign keys make of a key that changes as it does here", async () => {
    const events = await bothTell(async ({ manager }) => {
      await manager.insert(Shelf, { code: "k" })
      await manager.insert(Book, { title: "k", shelf: { code: "k" } })
      await manager.update(Shelf, "k", { code: "m" })
    })

    expect(events.map(({ action, model }) => `${action} ${model}`)).toEqual([
      ...["create shelf", "create book"],
      ...["update shelf", "update book"],
    ])
    expect(events.at(-1)?.differences).toEqual({ added: { shelf: "m" }, removed: { shelf: "k" } })
  })

  it("keeps the order of one row's events when the server writes between", async () => {
    const events = await bothTell((dataSource) =>
      dataSource.transaction(async (manager) => {
        await manager.insert(Tag, { name: "one" })
        await manager.insert(Site, [
          { name: "a", slug: "a" },
          { name: "b", slug: "b" },
        ])
        await manager.update(Site, { slug: "a" }, { name: "a1" })
        await manager.updateAll(Site, { status: "planned" })
        await manager.update(Site, { slug: "a" }, { name: "a2" })
        await manager.delete(Tag, { name: "one" })
        await manager.deleteAll(Site)
      }),
    )

    expect(events.length).toBe(10)
    expect(await rowsOnServer()).toBe(4)
  })

  it("tells INSERT … SELECT and upserts of it", async () => {
    await bothTell(async ({ manager }) => {
      await manager.insert(
        Site,
        [1, 2, 3].map((n) => ({ name: `site-${n}`, slug: `site-${n}` })),
      )
      const insert = () =>
        manager
          .createQueryBuilder()
          .insert()
          .into(Tag, ["name", "color"])
          .updateEntity(false)
          .valuesFromSelect((query) =>
            query.select("s.name", "name").addSelect("'123456'", "color").from(Site, "s").orderBy("s.slug"),
          )
      await insert().execute()
      await manager.updateAll(Tag, { color: "654321" })
      await insert().orUpdate(["color"], ["name"]).execute()
      await manager.deleteAll(Tag)
      await manager.deleteAll(Site)
    })

    expect(await rowsOnServer()).toBe(15)
  })

  it("writes nothing of a statement that failed, or was rolled back to a savepoint", async () => {
    const events = await bothTell(async ({ manager }) => {
      await manager.insert(Site, [
        { name: "a", slug: "a" },
        { name: "b", slug: "b" },
      ])
      await expect(manager.updateAll(Site, { slug: "same" })).rejects.toThrow("duplicate key")
      await manager.transaction(async (outer) => {
        await outer
          .transaction(async (inner) => {
            await inner.updateAll(Site, { name: "lost" })
            throw new Error("no")
          })
          .catch(() => undefined)
        await outer.updateAll(Site, { name: "kept" })
      })
      await manager.deleteAll(Site)
    })

    expect(events.map(({ action, postchange }) => [action, postchange?.["name"]])).toEqual([
      ["create", "a"],
      ["create", "b"],
      ["update", "kept"],
      ["update", "kept"],
      ["delete", undefined],
      ["delete", undefined],
    ])
  })
})
