import { types } from "pg"
import type { DataSource } from "typeorm"
import { Site } from "../../../fixtures/inventory/site"
import { Tag } from "../../../fixtures/inventory/tag"
import { describeOnEveryPostgres } from "../../servers/test-database"
import { captureDatabase, type CapturedDatabase } from "../../support/captured-database"

interface Connection {
  query(config: unknown): unknown
}

describeOnEveryPostgres((version) => {
  let captured: CapturedDatabase
  let dataSource: DataSource

  beforeEach(async () => {
    captured = await captureDatabase(version)
    dataSource = captured.dataSource
  })
  afterEach(() => captured.close())

  it("answers a driver's call that brings its callback in its options", async () => {
    const runner = dataSource.createQueryRunner()
    await runner.query("BEGIN")
    await runner.manager.insert(Tag, { name: "called back" })
    const connection = (await runner.connect()) as Connection
    await new Promise<void>((resolve, reject) => {
      connection.query({ text: "COMMIT", callback: (error: Error | null) => (error ? reject(error) : resolve()) })
    })
    await runner.release()

    expect((await captured.events()).map((event) => event.postchange?.["name"])).toEqual(["called back"])
  })

  it("tells nothing that was rolled back to a savepoint whose making was not seen", async () => {
    const runner = dataSource.createQueryRunner()
    await runner.query("BEGIN")
    await runner.query(`SELECT E'it\\'s; x' ; SAVEPOINT s1`)
    await runner.manager.insert(Tag, { name: "undone" })
    await runner.query("ROLLBACK TO SAVEPOINT s1")
    await runner.manager.insert(Tag, { name: "stays" })
    await runner.query("COMMIT")
    await runner.release()

    expect((await captured.events()).map((event) => event.postchange?.["name"])).toEqual(["stays"])
  })

  it("reports a write whose answer came too late", async () => {
    const impatient = await captured.database.dataSource({
      subscribers: [captured.changes.subscriber],
      extra: { query_timeout: 300 },
    })
    const blocker = dataSource.createQueryRunner()
    await blocker.startTransaction()
    await blocker.manager.insert(Tag, { name: "contested" })
    await expect(impatient.manager.insert(Tag, { name: "contested" })).rejects.toThrow("timeout")
    await blocker.rollbackTransaction()
    await blocker.release()

    expect(captured.logged.join()).toContain("COMMIT_OUTCOME_UNKNOWN: the answer to a write to")
  })

  it("counts and reports a change that an application's type parser fails to read, and goes on", async () => {
    await dataSource.manager.insert(Site, {
      name: "a",
      slug: "a",
      asn: "9007199254740993",
      address: { street: null, city: null, country: null },
    } as never)
    await captured.events()
    const parse = types.getTypeParser(types.builtins.INT8)
    types.setTypeParser(types.builtins.INT8, (text) => {
      throw new Error(`unsafe ${text.length}`)
    })
    const updating = dataSource
      .createQueryBuilder()
      .update(Site)
      .set({ name: "b" })
      .where({ slug: "a" })
      .returning("asn")
      .execute()
    await expect(updating).rejects.toThrow("unsafe 16")
    types.setTypeParser(types.builtins.INT8, parse)

    await dataSource.manager.update(Site, { slug: "a" }, { name: "c" })

    expect((await captured.events()).map((event) => event.differences.added)).toEqual([{ name: "c" }])
    expect(captured.changes.status().brokers["memory"]).toMatchObject({ failed: 1 })
    expect(captured.logged.join()).toContain("unsafe 16")
  })

  it("takes COPY … TO for no write", async () => {
    await dataSource.query("COPY extras.tag TO STDOUT").catch(() => undefined)

    expect(captured.changes.status().uncaptured).toEqual({ statements: 0, rows: 0 })
  })

  it("ends flush() in time while a statement waits for a lock and others commit", async () => {
    const blocker = dataSource.createQueryRunner()
    await blocker.startTransaction()
    await blocker.manager.insert(Tag, { name: "held" })
    const waiting = dataSource.manager.insert(Tag, { name: "held" }).catch(() => undefined)
    let isOver = false
    const busy = (async () => {
      for (let index = 0; !isOver; index++) await dataSource.manager.insert(Tag, { name: `busy-${index}` })
    })()
    await captured.changes.flush({ timeoutMs: 5_000 })
    isOver = true
    await busy
    await blocker.rollbackTransaction()
    await blocker.release()
    await waiting

    expect((await captured.events()).length).toBeGreaterThan(0)
  })
})
