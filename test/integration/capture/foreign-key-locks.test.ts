import { loadDataset } from "../../../fixtures/dataset"
import { fixtureEntities } from "../../../fixtures/fixture-entities"
import { Book } from "../../../fixtures/hostile/book"
import { hostileEntities } from "../../../fixtures/hostile/hostile-entities"
import { Shelf } from "../../../fixtures/hostile/shelf"
import type { ChangeEventsOptions } from "../../../src"
import { describeOnEveryPostgres } from "../../servers/test-database"
import { captureDatabase, type CapturedDatabase } from "../../support/captured-database"
import { crossedTransactions, EARLY_DEADLOCKS, type CrossedWrites } from "../../support/crossed-transactions"
import { overtaken } from "../../support/overtaken-statement"
import { withClient } from "../../support/with-client"

describeOnEveryPostgres((version) => {
  let captured: CapturedDatabase

  async function capture(changes: Omit<ChangeEventsOptions, "brokers" | "logger"> = {}): Promise<void> {
    captured = await captureDatabase(version, {
      changes,
      dataSource: {
        entities: [...fixtureEntities, ...hostileEntities],
        extra: EARLY_DEADLOCKS,
      },
    })
    await loadDataset(captured.dataSource.manager)
    await captured.dataSource.manager.insert(Shelf, { code: "a" })
    await captured.dataSource.manager.insert(Book, { title: "first", shelf: { code: "a" } })
    await captured.events()
  }
  afterEach(() => captured.close())

  const told = async () =>
    (await captured.events()).map(({ action, model, prechange, postchange }) => {
      const row = prechange ?? postchange
      return `${action} ${model} ${String(row?.["title"] ?? row?.["code"])}`
    })

  it("waits for a row that comes to point to what is deleted, and tells it", async () => {
    await capture()
    await overtaken(
      captured.dataSource,
      captured.database.url,
      (early) => early.insert(Book, { title: "second", shelf: { code: "a" } }),
      () => captured.dataSource.manager.delete(Shelf, "a"),
    )

    expect(await told()).toEqual(["create book second", "delete shelf a", "delete book first", "delete book second"])
  })

  it("tells the newest version of a row that another has changed meanwhile", async () => {
    await capture()
    await overtaken(
      captured.dataSource,
      captured.database.url,
      (early) => early.update(Book, { title: "first" }, { title: "changed" }),
      () => captured.dataSource.manager.delete(Shelf, "a"),
    )

    expect(await told()).toEqual(["update book first", "delete shelf a", "delete book changed"])
  })

  it("deletes all the same, and reports, where more rows point than may be brought here", async () => {
    await capture({ maxRowsPerStatement: 2 })
    for (const title of ["second", "third"]) {
      await captured.dataSource.manager.insert(Book, { title, shelf: { code: "a" } })
    }
    await captured.events()
    const { affected } = await captured.dataSource.manager.delete(Shelf, "a")

    expect(affected).toBe(1)
    expect(await told()).toEqual(["delete shelf a"])
    expect(captured.logged.join()).toContain("its foreign keys lead to more than 2 rows")
    expect(await captured.dataSource.manager.count(Book)).toBe(0)
  })

  it("deletes all the same, and reports, where the role may not lock the rows", async () => {
    await capture()
    const role = `deleter_${process.pid}_${version}`
    await withClient(captured.database.url, async (client) => {
      await client.query(`CREATE ROLE ${role} LOGIN`)
      await client.query(`GRANT USAGE ON SCHEMA hostile TO ${role}`)
      await client.query(`GRANT SELECT ON ALL TABLES IN SCHEMA hostile TO ${role}`)
      await client.query(`GRANT DELETE ON hostile.shelf TO ${role}`)
    })
    const url = Object.assign(new URL(captured.database.url), { username: role }).href
    const restricted = await captured.database.dataSource({
      url,
      entities: [...fixtureEntities, ...hostileEntities],
      subscribers: [captured.changes.subscriber],
    })
    const { affected } = await restricted.manager.delete(Shelf, "a")
    await restricted.destroy()
    const events = await told()
    await withClient(captured.database.url, async (client) => {
      await client.query(`DROP OWNED BY ${role}`)
      await client.query(`DROP ROLE ${role}`)
    })

    expect(affected).toBe(1)
    expect(events).toEqual(["delete shelf a"])
    expect(captured.logged.join()).toContain("what its foreign keys do could not be read: permission denied")
  })

  it.each([
    ["what they delete", Shelf, "label", "update shelf"],
    ["what points there", Book, "title", "update book"],
  ] as const)(
    "fails one of two that wait for one another over %s, as the server does, and tells all of the other",
    async (_, written, column, update) => {
      await capture()
      await captured.dataSource.manager.insert(Shelf, { code: "b" })
      await captured.dataSource.manager.insert(Book, { title: "second", shelf: { code: "b" } })
      await captured.events()
      const rowOf = {
        a: written === Shelf ? { code: "a" } : { id: 1 },
        b: written === Shelf ? { code: "b" } : { id: 2 },
      }
      const writes = (updated: "a" | "b", deleted: "a" | "b"): CrossedWrites => [
        (manager) => manager.update(written, rowOf[updated], { [column]: "written" }),
        (manager) => manager.delete(Shelf, deleted),
      ]
      const { isFirstCommitted, failures } = await crossedTransactions(captured.dataSource, captured.database.url, [
        writes("a", "b"),
        writes("b", "a"),
      ])
      const [updated, deleted] = isFirstCommitted ? (["a", "b"] as const) : (["b", "a"] as const)
      const title = { a: "first", b: "second" }
      const name = written === Shelf ? updated : title[updated]

      expect(failures).toEqual([expect.objectContaining({ code: "40P01" })])
      expect(captured.logged).toEqual([])
      expect(await told()).toEqual([`${update} ${name}`, `delete shelf ${deleted}`, `delete book ${title[deleted]}`])
    },
  )
})
