import type { DataSource } from "typeorm"
import { Book } from "../../../fixtures/hostile/book"
import { Shelf } from "../../../fixtures/hostile/shelf"
import { describeOnEveryPostgres } from "../../servers/test-database"
import { captureDatabase, type CapturedDatabase } from "../../support/captured-database"
import { outboxDatabase, type OutboxDatabase } from "../../support/outbox-database"

// `query_timeout` of the driver: it gives up waiting, and the server carries the text out all the same.
describe.each(["direct", "outbox"] as const)("delivery: %s", (delivery) => {
  describeOnEveryPostgres((version) => {
    let captured: CapturedDatabase | OutboxDatabase
    let impatient: DataSource

    beforeEach(async () => {
      const options = { dataSource: { entities: [Shelf, Book] } }
      captured = await (delivery === "direct" ? captureDatabase(version, options) : outboxDatabase(version, options))
      impatient = await captured.database.dataSource({
        ...options.dataSource,
        subscribers: [captured.changes.subscriber],
        poolSize: 1,
        extra: { query_timeout: 300 },
      })
      await captured.dataSource.manager.insert(Shelf, { code: "a", label: "first" })
      await captured.events()
    })
    afterEach(() => captured.close())

    /** While another transaction holds the lock of the shelf. */
    async function whileLocked(work: () => Promise<unknown>): Promise<void> {
      const other = (await captured.database.dataSource()).createQueryRunner()
      await other.startTransaction()
      await other.query("SELECT FROM hostile.shelf FOR UPDATE")
      await work()
      await other.rollbackTransaction()
      await other.release()
    }
    const codes = async () =>
      (await captured.dataSource.getRepository(Shelf).find({ order: { code: "ASC" } })).map(({ code }) => code)
    const reports = () => captured.logged.filter((line) => line.includes("the answer to a write to")).length

    it.each([
      ["an update", () => impatient.manager.update(Shelf, "a", { label: "changed" })],
      ["a delete that foreign keys follow", () => impatient.manager.delete(Shelf, "a")],
    ])("leaves no transaction of ours open behind %s", async (_, write) => {
      await whileLocked(() => expect(write()).rejects.toThrow("timeout"))
      await impatient.query("INSERT INTO hostile.shelf (code) VALUES ('b')")
      await impatient.manager.insert(Shelf, { code: "c" })

      expect(await codes()).toEqual(["a", "b", "c"])
    })

    it("is reported with the COMMIT of a transaction that went on", async () => {
      const runner = impatient.createQueryRunner()
      await runner.startTransaction()
      await whileLocked(() => expect(runner.manager.update(Shelf, "a", { label: "late" })).rejects.toThrow("timeout"))
      const before = reports()
      await runner.commitTransaction()
      await runner.release()

      expect([before, reports()]).toEqual([0, 1])
      expect(await captured.dataSource.manager.findOneBy(Shelf, { code: "a" })).toMatchObject({ label: "late" })
    })

    it("is not reported where the transaction, or its savepoint, was rolled back", async () => {
      const runner = impatient.createQueryRunner()
      await runner.startTransaction()
      await whileLocked(() => expect(runner.manager.update(Shelf, "a", { label: "late" })).rejects.toThrow("timeout"))
      await runner.rollbackTransaction()
      await runner.startTransaction()
      await runner.startTransaction()
      await whileLocked(() => expect(runner.manager.update(Shelf, "a", { label: "late" })).rejects.toThrow("timeout"))
      await runner.rollbackTransaction()
      await runner.commitTransaction()
      await runner.release()

      expect(reports()).toBe(0)
      expect(await captured.dataSource.manager.findOneBy(Shelf, { code: "a" })).toMatchObject({ label: "first" })
    })
  })
})
