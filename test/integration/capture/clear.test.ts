import { Book } from "../../../fixtures/hostile/book"
import { hostileEntities } from "../../../fixtures/hostile/hostile-entities"
import { Shelf } from "../../../fixtures/hostile/shelf"
import { WithoutSchema } from "../../../fixtures/hostile/without-schema"
import { fixtureEntities } from "../../../fixtures/fixture-entities"
import type { ChangeEventsOptions } from "../../../src"
import { describeOnEveryPostgres } from "../../servers/test-database"
import { captureDatabase, type CapturedDatabase } from "../../support/captured-database"
import { crossedTransactions, EARLY_DEADLOCKS } from "../../support/crossed-transactions"
import { overtaken } from "../../support/overtaken-statement"
import { withClient } from "../../support/with-client"

describeOnEveryPostgres((version) => {
  let captured: CapturedDatabase

  async function capture(changes: Omit<ChangeEventsOptions, "brokers" | "logger"> = {}): Promise<void> {
    captured = await captureDatabase(version, {
      changes,
      dataSource: { entities: [...fixtureEntities, ...hostileEntities], extra: EARLY_DEADLOCKS },
    })
    await withClient(captured.database.url, async (client) => {
      await client.query(`INSERT INTO hostile.shelf (code) VALUES ('a')`)
      await client.query(`INSERT INTO hostile.book (title, "shelfCode") VALUES ('first', 'a'), ('second', 'a')`)
    })
  }
  afterEach(() => captured.close())

  const told = async () =>
    (await captured.events()).map(({ action, model, prechange, postchange }) => {
      const row = prechange ?? postchange
      return `${action} ${model} ${String(row?.["title"] ?? row?.["code"])}`
    })
  const uncaptured = () => captured.changes.status().uncaptured.statements
  const left = () => captured.dataSource.manager.count(Book)

  it("is told, also when it is the first write of all", async () => {
    await capture()
    await captured.dataSource.manager.clear(Shelf, { cascade: true })

    expect(await told()).toEqual(["delete shelf a", "delete book first", "delete book second"])
    expect(uncaptured()).toBe(0)
  })

  it("is told when the driver is called with a callback", async () => {
    await capture()
    const runner = captured.dataSource.createQueryRunner()
    await runner.query("SELECT 1")
    const connection = (await runner.connect()) as { query(text: string, done: (error: unknown) => void): void }
    await new Promise<void>((resolve, reject) => {
      connection.query(`TRUNCATE TABLE "hostile"."book"`, (error) => (error ? reject(error as Error) : resolve()))
    })
    await runner.release()

    expect(await told()).toEqual(["delete book first", "delete book second"])
  })

  it("waits for a row that another transaction writes, and tells it", async () => {
    await capture()
    await overtaken(
      captured.dataSource,
      captured.database.url,
      (early) => early.insert(Book, { title: "third", shelf: { code: "a" } }),
      () => captured.dataSource.manager.clear(Book),
    )

    expect(await told()).toEqual(["create book third", "delete book first", "delete book second", "delete book third"])
  })

  it("fails for one of two that wait for one another, as the server does, and is told of the other", async () => {
    await capture()
    await captured.dataSource.manager.insert(WithoutSchema, { value: "third" })
    await captured.events()
    const { isFirstCommitted, failures } = await crossedTransactions(captured.dataSource, captured.database.url, [
      [(manager) => manager.insert(Shelf, { code: "b" }), (manager) => manager.clear(WithoutSchema)],
      [
        (manager) => manager.insert(WithoutSchema, { value: "fourth" }),
        (manager) => manager.clear(Shelf, { cascade: true }),
      ],
    ])

    expect(failures).toEqual([expect.objectContaining({ code: "40P01" })])
    expect(uncaptured()).toBe(0)
    expect((await captured.events()).map(({ action, model }) => `${action} ${model}`)).toEqual(
      isFirstCommitted
        ? ["create shelf", "delete withoutschema"]
        : ["create withoutschema", "delete shelf", "delete book", "delete book"],
    )
  })

  it("is reported when it removes more rows than may be brought here, and so is no other table", async () => {
    await capture({ maxRowsPerStatement: 1 })
    await captured.dataSource.manager.clear(Shelf, { cascade: true })

    expect(await told()).toEqual(["delete shelf a"])
    expect(uncaptured()).toBe(1)
    expect(captured.logged.join("\n")).toContain("it removed more rows than maxRowsPerStatement (1)")
    expect(await left()).toBe(0)
  })

  it('fails then with onUncaptured: "throw", and is undone', async () => {
    await capture({ maxRowsPerStatement: 1, onUncaptured: "throw" })
    const clearing = captured.dataSource.manager.clear(Shelf, { cascade: true })

    await expect(clearing).rejects.toMatchObject({ code: "WRITE_UNCAPTURED" })
    expect(await told()).toEqual([])
    expect(await left()).toBe(2)
  })

  it("is reported in a transaction whose snapshot may be older than the rows", async () => {
    await capture()
    await captured.dataSource.transaction("REPEATABLE READ", async (manager) => {
      await manager.count(Book)
      await withClient(captured.database.url, (client) =>
        client.query(`INSERT INTO hostile.book (title, "shelfCode") VALUES ('unseen', 'a')`),
      )
      await manager.clear(Book)
    })

    expect(await told()).toEqual([])
    expect(captured.logged.join("\n")).toContain("its transaction is repeatable read")
    expect(await left()).toBe(0)
  })

  it("is told of its own whole, whatever isolation transactions have by default", async () => {
    await capture()
    const runner = captured.dataSource.createQueryRunner()
    await runner.query("SET default_transaction_isolation = 'repeatable read'")
    await runner.manager.clear(Book)
    await runner.query("RESET default_transaction_isolation")
    await runner.release()

    expect(await told()).toEqual(["delete book first", "delete book second"])
  })

  it("is reported where row-level security may hide rows from the role", async () => {
    await capture()
    const role = `clearer_${process.pid}_${version}`
    await withClient(captured.database.url, async (client) => {
      await client.query(`CREATE ROLE ${role}`)
      await client.query(`GRANT USAGE ON SCHEMA hostile TO ${role}`)
      await client.query(`GRANT ALL ON hostile.book TO ${role}`)
      await client.query("ALTER TABLE hostile.book ENABLE ROW LEVEL SECURITY")
    })
    await captured.dataSource.transaction(async (manager) => {
      await manager.query(`SET LOCAL ROLE ${role}`)
      await manager.clear(Book)
    })
    const events = await told()
    await withClient(captured.database.url, (client) => client.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`))

    expect(events).toEqual([])
    expect(captured.logged.join("\n")).toContain("row-level security may hide some of them")
    expect(await left()).toBe(0)
  })

  it("fails as it would where the role may not empty the table, and nothing is reported that was not written", async () => {
    await capture()
    const role = `reader_${process.pid}_${version}`
    await withClient(captured.database.url, async (client) => {
      await client.query(`CREATE ROLE ${role}`)
      await client.query(`GRANT USAGE ON SCHEMA hostile TO ${role}`)
      await client.query(`GRANT SELECT ON hostile.book TO ${role}`)
    })
    const clearing = captured.dataSource.transaction(async (manager) => {
      await manager.query(`SET LOCAL ROLE ${role}`)
      await manager.clear(Book)
    })
    const outcome = await clearing.catch((error: unknown) => error)
    await withClient(captured.database.url, (client) => client.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`))

    expect(outcome).toMatchObject({ code: "42501" })
    expect(uncaptured()).toBe(0)
    expect(captured.logged.join()).not.toContain("WRITE_UNCAPTURED")
    expect(await left()).toBe(2)
  })

  it("takes along what only the database knows to point there", async () => {
    await capture()
    await withClient(captured.database.url, async (client) => {
      await client.query("ALTER TABLE without_schema ADD COLUMN book int REFERENCES hostile.book")
      await client.query("INSERT INTO without_schema (value) VALUES ('a')")
    })
    await captured.dataSource.manager.clear(Book, { cascade: true })

    const events = await captured.events()
    expect(events.map(({ action, model }) => `${action} ${model}`)).toEqual([
      "delete book",
      "delete book",
      "delete withoutschema",
    ])
  })

  it("is reported as ever when its text is not that of clear()", async () => {
    await capture()
    await captured.dataSource.manager.query("TRUNCATE hostile.book")

    expect(await told()).toEqual([])
    expect(captured.logged.join("\n")).toContain("it is raw SQL or TRUNCATE")
  })
})
