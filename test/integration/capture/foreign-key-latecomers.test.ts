import { Like, type EntityManager } from "typeorm"
import { Book } from "../../../fixtures/hostile/book"
import { Shelf } from "../../../fixtures/hostile/shelf"
import { describeOnEveryPostgres } from "../../servers/test-database"
import { captureDatabase, type CapturedDatabase } from "../../support/captured-database"
import { outboxDatabase, type OutboxDatabase } from "../../support/outbox-database"
import { overtaken } from "../../support/overtaken-statement"

type Row = Readonly<Record<string, unknown>> | null

interface Told {
  readonly topic?: string
  readonly action?: string
  readonly model?: string
  readonly prechange: Row
  readonly postchange: Row
}

const entities = [Shelf, Book]
const isOld = { label: Like("old%") }

// A row that comes to be one of a statement's after its rows were locked, and before it is carried out.
describe.each(["direct", "outbox"] as const)("delivery: %s", (delivery) => {
  describeOnEveryPostgres((version) => {
    let captured: CapturedDatabase | OutboxDatabase

    beforeEach(async () => {
      captured =
        delivery === "direct"
          ? await captureDatabase(version, { dataSource: { entities } })
          : await outboxDatabase(version, { dataSource: { entities } })
      const { manager } = captured.dataSource
      await manager.insert(Shelf, [
        { code: "a", label: "old" },
        { code: "b", label: "new" },
      ])
      await manager.insert(Book, { title: "first", shelf: { code: "a" } })
      await manager.insert(Book, { title: "second", shelf: { code: "b" } })
    })
    afterEach(() => captured.close())

    /** Behind those of the four rows above. */
    async function told(): Promise<readonly string[]> {
      const events: readonly Told[] = (await captured.events()) as readonly Told[]
      return events.slice(4).map(({ topic, action, model, prechange, postchange }) => {
        const name = (row: Row): string => String(row?.["title"] ?? row?.["code"])
        const moved = postchange?.["shelf"] ? ` on ${String(postchange["shelf"])}` : ""
        return `${action ?? topic?.split(".")[0]} ${model ?? topic?.split(".")[2]} ${name(prechange ?? postchange)}${moved}`
      })
    }

    const overtakenBy = (early: (manager: EntityManager) => Promise<unknown>, late: () => Promise<unknown>) =>
      overtaken(captured.dataSource, captured.database.url, early, late)

    const becomeOld = async (manager: EntityManager): Promise<void> => {
      await manager.update(Shelf, "a", { label: "older" })
      await manager.update(Shelf, "b", { label: "old" })
    }

    it("tells what points to a row that a DELETE found late", async () => {
      await overtakenBy(becomeOld, () => captured.dataSource.manager.delete(Shelf, isOld))

      expect(await captured.dataSource.manager.count(Book)).toBe(0)
      expect(captured.logged).toEqual([])
      expect(await told()).toEqual([
        "update shelf a",
        "update shelf b",
        "delete shelf a",
        "delete shelf b",
        "delete book first",
        "delete book second",
      ])
    })

    it("tells what points to a row that an UPDATE of its key found late, and no other", async () => {
      const early = async (manager: EntityManager): Promise<void> => {
        await manager.update(Book, { title: "first" }, { shelf: { code: "b" } })
        await manager.delete(Shelf, "a")
        await manager.update(Shelf, "b", { label: "old" })
      }
      await overtakenBy(early, () => captured.dataSource.manager.update(Shelf, isOld, { code: () => "'c'" }))

      expect(captured.logged).toEqual([])
      expect(await told()).toEqual([
        "update book first on b",
        "delete shelf a",
        "update shelf b",
        "update shelf b",
        "update book second on c",
        "update book first on c",
      ])
    })

    it("tells once what the transaction did before", async () => {
      await overtakenBy(becomeOld, () =>
        captured.dataSource.transaction(async (manager) => {
          await manager.insert(Shelf, { code: "before" })
          await manager.delete(Shelf, isOld)
          await manager.insert(Shelf, { code: "behind" })
        }),
      )

      expect(captured.logged).toEqual([])
      expect(await told()).toEqual([
        "update shelf a",
        "update shelf b",
        "create shelf before",
        "delete shelf a",
        "delete shelf b",
        "delete book first",
        "delete book second",
        "create shelf behind",
      ])
    })

    it("carries the statement out all the same, and reports, where it finds other rows each time", async () => {
      await captured.dataSource.query("CREATE SEQUENCE turn")
      const everySecondTime = "code = 'a' AND nextval('turn') % 2 = 0"
      const { affected } = await captured.dataSource
        .createQueryBuilder()
        .delete()
        .from(Shelf)
        .where(everySecondTime)
        .execute()

      expect(affected).toBe(1)
      expect(await told()).toEqual(["delete shelf a"])
      expect(captured.logged).toEqual([expect.stringContaining("it wrote rows that it had not found before")])
    })
  })
})
