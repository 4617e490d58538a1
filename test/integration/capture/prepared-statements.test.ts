import { Column, Entity, PrimaryColumn, type DataSource, type Repository } from "typeorm"
import { Tag } from "../../../fixtures/inventory/tag"
import { describeOnEveryPostgres } from "../../servers/test-database"
import { captureDatabase, type CapturedDatabase } from "../../support/captured-database"
import { outboxDatabase, type OutboxDatabase } from "../../support/outbox-database"

@Entity()
class Thing {
  @PrimaryColumn({ type: "int" })
  id!: number

  @Column({ type: "enum", enum: ["a", "b"], enumName: "kind" })
  kind!: string
}

const outcome = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => "no error",
    ({ message }: Error) => message,
  )

// A migration changes what is prepared, beside an application that goes on.
describe.each(["direct", "outbox"] as const)("delivery: %s", (delivery) => {
  describeOnEveryPostgres((version) => {
    let captured: CapturedDatabase | OutboxDatabase
    let things: Repository<Thing>

    beforeEach(async () => {
      const options = { dataSource: { entities: [Thing], poolSize: 1 } }
      captured = await (delivery === "direct" ? captureDatabase(version, options) : outboxDatabase(version, options))
      things = captured.dataSource.getRepository(Thing)
    })
    afterEach(() => captured.close())

    const add = (id: number, kind = "a") => outcome(things.insert({ id, kind }))
    const addInTransaction = (id: number) =>
      outcome(captured.dataSource.transaction((manager) => manager.insert(Thing, { id, kind: "a" })))

    it("fails one transaction, and no other, when a column changes its type", async () => {
      await captured.dataSource.query("CREATE TABLE thing (id int PRIMARY KEY, kind varchar(1))")
      for (const id of [1, 2, 3, 4]) await addInTransaction(id)
      await captured.dataSource.query("ALTER TABLE thing ALTER COLUMN kind TYPE text")
      const outcomes: unknown[] = []
      for (const id of [5, 6, 7, 8]) outcomes.push(await addInTransaction(id))

      expect(outcomes[0]).toContain("cached plan")
      expect(outcomes.slice(1)).toEqual(["no error", "no error", "no error"])
    })

    it("goes on outside of transactions when an enum is exchanged as TypeORM's migrations do it", async () => {
      await captured.dataSource.query(
        "CREATE TYPE kind AS ENUM ('a'); CREATE TABLE thing (id int PRIMARY KEY, kind kind)",
      )
      for (const id of [1, 2, 3, 4]) await add(id)
      await captured.dataSource.query(
        `ALTER TYPE kind RENAME TO kind_old; CREATE TYPE kind AS ENUM ('a', 'b');
         ALTER TABLE thing ALTER COLUMN kind TYPE kind USING kind::text::kind; DROP TYPE kind_old`,
      )

      expect([await add(5), await add(6, "b"), await add(7, "b")]).toEqual(["no error", "no error", "no error"])
      expect(await captured.events()).toHaveLength(7)
    })

    it("goes on where the search path leads to another enum in each schema", async () => {
      for (const schema of ["t1", "t2"])
        await captured.dataSource.query(
          `CREATE SCHEMA ${schema}; CREATE TYPE ${schema}.kind AS ENUM ('a'); CREATE TABLE ${schema}.thing (id int PRIMARY KEY, kind ${schema}.kind)`,
        )
      const outcomes: unknown[] = []
      for (const id of [1, 2, 3, 4])
        for (const schema of ["t1", "t2"]) {
          const adding = captured.dataSource.transaction(async (manager) => {
            await manager.query(`SET LOCAL search_path TO ${schema}`)
            await manager.insert(Thing, { id, kind: "a" })
          })
          outcomes.push(await outcome(adding))
        }

      expect(new Set(outcomes)).toEqual(new Set(["no error"]))
      expect(await captured.events()).toHaveLength(8)
    })
  })
})

describeOnEveryPostgres((version) => {
  let captured: CapturedDatabase
  let dataSource: DataSource

  beforeEach(async () => {
    captured = await captureDatabase(version, { dataSource: { poolSize: 1 } })
    dataSource = captured.dataSource
    await dataSource.manager.insert(Tag, { name: "tag" })
  })
  afterEach(() => captured.close())

  async function recolor(...colors: string[]): Promise<void> {
    for (const color of colors) await dataSource.manager.update(Tag, { name: "tag" }, { color })
  }

  const prepared = async (): Promise<string[]> =>
    (await dataSource.query("SELECT name FROM pg_prepared_statements")).map((row: { name: string }) => row.name)

  const told = async (): Promise<unknown[]> =>
    (await captured.events()).filter((event) => event.action === "update").map((event) => event.postchange?.["color"])

  it("prepares a statement when it comes a third time", async () => {
    await recolor("000001", "000002")
    expect(await prepared()).toEqual([])

    await recolor("000003", "000004")

    expect(await prepared()).toEqual([expect.stringMatching(/^change_events_/)])
    expect(await told()).toEqual(["000001", "000002", "000003", "000004"])
  })

  it("goes on when a column changes its type behind a prepared statement", async () => {
    await recolor("000001", "000002", "000003")
    await dataSource.query("ALTER TABLE extras.tag ALTER COLUMN color TYPE varchar(8)")
    await recolor("000004", "000005")

    expect(await told()).toEqual(["000001", "000002", "000003", "000004", "000005"])
  })

  it("goes on when somebody deallocates its prepared statements, as a pooler does that changes servers", async () => {
    await recolor("000001", "000002", "000003")
    await dataSource.query("DEALLOCATE ALL")
    await recolor("000004", "000005")

    expect(await told()).toEqual(["000001", "000002", "000003", "000004", "000005"])
    expect(await prepared()).toEqual([])
  })

  it("prepares nothing where the connection was made to another process than the one that answers", async () => {
    const pooled = await captured.database.dataSource({ poolSize: 1, subscribers: [captured.changes.subscriber] })
    const runner = pooled.createQueryRunner()
    const connection = (await runner.connect()) as { processID: number }
    connection.processID = -1
    for (const color of ["000001", "000002", "000003", "000004"]) {
      await runner.manager.update(Tag, { name: "tag" }, { color })
    }

    expect(await runner.query("SELECT name FROM pg_prepared_statements")).toEqual([])
    expect(await told()).toHaveLength(4)
    await runner.release()
  })

  it("prepares nothing when told not to", async () => {
    const other = await captureDatabase(version, {
      changes: { preparedStatements: false },
      dataSource: { poolSize: 1 },
    })
    await other.dataSource.manager.insert(Tag, { name: "tag" })
    for (const color of ["000001", "000002", "000003", "000004"]) {
      await other.dataSource.manager.update(Tag, { name: "tag" }, { color })
    }

    expect(await other.dataSource.query("SELECT name FROM pg_prepared_statements")).toEqual([])
    expect(await other.events()).toHaveLength(5)
    await other.close()
  })
})
