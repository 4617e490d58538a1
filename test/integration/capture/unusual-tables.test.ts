import { Column, Entity, PrimaryColumn, type DataSource } from "typeorm"
import { describeOnEveryPostgres } from "../../servers/test-database"
import { captureDatabase, type CapturedDatabase } from "../../support/captured-database"
import { withClient } from "../../support/with-client"

/** A legacy table: what the entity takes for its key is not unique. */
@Entity({ name: "ledger" })
class Ledger {
  @PrimaryColumn({ type: "int" })
  id!: number

  @Column({ type: "text" })
  name!: string

  @Column({ type: "text", nullable: true })
  note!: string | null
}

describeOnEveryPostgres((version) => {
  let captured: CapturedDatabase
  let dataSource: DataSource

  beforeEach(async () => {
    captured = await captureDatabase(version, { dataSource: { entities: [Ledger] } })
    dataSource = captured.dataSource
    await withClient(captured.database.url, async (client) => {
      await client.query("CREATE TABLE ledger (id int NOT NULL, name text NOT NULL, note text)")
      await client.query("INSERT INTO ledger VALUES (1, 'a'), (1, 'b')")
    })
  })
  afterEach(() => captured.close())

  it("changes no row that the condition leaves out, where the key is not unique in the database", async () => {
    const { affected } = await dataSource.manager.update(Ledger, { id: 1, name: "a" }, { note: "X" })

    expect(affected).toBe(1)
    expect(await dataSource.query("SELECT name, note FROM ledger ORDER BY name")).toEqual([
      { name: "a", note: "X" },
      { name: "b", note: null },
    ])
    const reported = captured.logged
      .join()
      .includes("Ledger is not captured: before Postgres 18 its key (id) must be unique")
    expect(reported).toBe(version < 18)
    expect(await captured.events()).toHaveLength(version < 18 ? 0 : 1)
  })

  it("changes no row that the condition leaves out, where a table that inherits has one of the same key", async () => {
    await dataSource.query("DELETE FROM ledger; ALTER TABLE ledger ADD PRIMARY KEY (id)")
    await dataSource.query("CREATE TABLE old_ledger (closed date) INHERITS (ledger)")
    await dataSource.query("INSERT INTO ledger VALUES (1, 'a'); INSERT INTO old_ledger VALUES (1, 'b')")
    const { affected } = await dataSource.manager.update(Ledger, { id: 1, name: "b" }, { note: "X" })
    await dataSource.createQueryBuilder().update(Ledger).set({ note: "Y" }).where("name = 'a'").execute()

    expect(affected).toBe(1)
    expect(await dataSource.query("SELECT name, note FROM ledger ORDER BY name")).toEqual([
      { name: "a", note: "Y" },
      { name: "b", note: "X" },
    ])
    const told = (await captured.events()).map(({ prechange, postchange }) => [
      prechange?.["name"],
      postchange?.["note"],
    ])
    expect(told).toEqual([
      ["b", "X"],
      ["a", "Y"],
    ])
  })

  it("lets writes through a table with rules, uncaptured and reported", async () => {
    await dataSource.query("CREATE RULE keep AS ON DELETE TO ledger DO INSTEAD NOTHING")
    await dataSource.query("ALTER TABLE ledger ADD COLUMN key serial PRIMARY KEY")
    const { affected } = await dataSource.manager.delete(Ledger, { name: "a" })

    expect(affected).toBe(0)
    expect(captured.logged.join()).toContain("Ledger is not captured: its table has rules")
  })
})
