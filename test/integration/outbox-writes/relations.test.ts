import { Like, type EntityManager } from "typeorm"
import { datasetKeys, loadDataset } from "../../../fixtures/dataset"
import { Device } from "../../../fixtures/inventory/device"
import { Site } from "../../../fixtures/inventory/site"
import { describeOnEveryPostgres } from "../../servers/test-database"
import { outboxDatabase, type LoggedEvent, type OutboxDatabase } from "../../support/outbox-database"

const { devices, tags } = datasetKeys

describeOnEveryPostgres((version) => {
  let log: OutboxDatabase
  let loaded: number

  beforeEach(async () => {
    log = await outboxDatabase(version)
    await loadDataset(log.dataSource.manager)
    loaded = (await log.events()).length
  })
  afterEach(() => log.close())

  const tagsOf = (manager: EntityManager = log.dataSource.manager) =>
    manager.createQueryBuilder().relation(Device, "tags").of(devices.spare)
  const events = async (): Promise<readonly LoggedEvent[]> => (await log.events()).slice(loaded)
  const lists = async () =>
    (await events()).map(({ action, prechange, postchange }) => [action, prechange?.["tags"], postchange?.["tags"]])

  it("writes what a statement without a transaction does to a relation as an update of the owner", async () => {
    await tagsOf().add([tags.core, tags.lab])
    await tagsOf().remove(tags.core)

    expect(await lists()).toEqual([
      ["update", [], [tags.core, tags.lab].sort()],
      ["update", [tags.core, tags.lab].sort(), [tags.lab]],
    ])
  })

  it("writes one update for a transaction, in which the owner changes as well", async () => {
    await log.dataSource.transaction(async (manager) => {
      await tagsOf(manager).add(tags.core)
      await manager.update(Device, devices.spare, { position: 7 })
      await tagsOf(manager).add(tags.lab)
    })

    const [event, ...others] = await events()
    expect(others).toEqual([])
    expect(event?.differences).toEqual({
      added: { position: 7, tags: [tags.core, tags.lab].sort() },
      removed: { position: event?.prechange?.["position"], tags: [] },
    })
  })

  it("writes nothing of what a savepoint took back", async () => {
    await log.dataSource.transaction(async (manager) => {
      await tagsOf(manager).add(tags.core)
      await manager
        .transaction(async (inner) => {
          await tagsOf(inner).add(tags.lab)
          throw new Error("no")
        })
        .catch(() => undefined)
    })

    expect(await lists()).toEqual([["update", [], [tags.core]]])
  })

  it("writes it in a transaction whose other events were written before", async () => {
    await log.dataSource.transaction(async (manager) => {
      await tagsOf(manager).add(tags.core)
      for (let chunk = 0; chunk < 3; chunk++) {
        const rows = Array.from({ length: 700 }, (_, index) => `s${chunk}-${index}`)
        await manager.insert(
          Site,
          rows.map((name) => ({ name, slug: name })),
        )
      }
      await tagsOf(manager).add(tags.lab)
    })

    const told = await events()
    expect(told).toHaveLength(2_101)
    expect(told.filter(({ action }) => action === "update").map(({ postchange }) => postchange?.["tags"])).toEqual([
      [tags.core, tags.lab].sort(),
    ])
  })

  const manySites = (count: number) =>
    Array.from({ length: count }, (_, index) => ({ name: `s${index}`, slug: `s${index}` }))

  it("shows the list of a row that is deleted, though other events are written before the COMMIT", async () => {
    await tagsOf().add([tags.core, tags.lab])
    loaded = (await log.events()).length
    await log.dataSource.transaction(async (manager) => {
      await tagsOf(manager).remove(tags.lab)
      await manager.insert(Site, manySites(999))
      // The thousandth event, before what its foreign keys do to the list is known.
      await manager.delete(Device, devices.spare)
      // What the server writes by itself, it writes behind all that was before.
      await manager.update(Site, { slug: "s1" }, { name: "other" })
      await manager.delete(Site, { name: Like("s%") })
    })

    const deletions = (await events()).filter(({ model, action }) => model === "device" && action === "delete")
    expect(deletions.map(({ prechange }) => prechange?.["tags"])).toEqual([[tags.core, tags.lab].sort()])
    expect(log.logged).toEqual([])
  })

  it("tells a list in which a deletion was taken back", async () => {
    await tagsOf().add([tags.core, tags.lab])
    loaded = (await log.events()).length
    await log.dataSource.transaction(async (manager) => {
      await tagsOf(manager).remove(tags.lab)
      await manager
        .transaction(async (inner) => {
          await inner.delete(Device, devices.spare)
          await inner.insert(Site, manySites(1_000))
          throw new Error("no")
        })
        .catch(() => undefined)
    })

    expect(await lists()).toEqual([["update", [tags.core, tags.lab].sort(), [tags.core]]])
    expect(log.logged).toEqual([])
  })

  it("keeps statements apart that are sent at the same time on one connection", async () => {
    const runner = log.dataSource.createQueryRunner()
    const sites = runner.manager.getRepository(Site)
    const bad = sites.insert({ name: "bad", slug: null as never })
    const outcomes = await Promise.allSettled([
      sites.insert({ name: "a", slug: "a" }),
      bad,
      sites.insert({ name: "b", slug: "b" }),
    ])
    await runner.release()

    expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"])
    expect((await events()).map(({ postchange }) => postchange?.["name"])).toEqual(["a", "b"])
    expect(await log.observer.query("SELECT name FROM dcim.site WHERE slug IN ('a', 'b')")).toHaveLength(2)
  })
})
