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

  it("lets writes through a table with rules, uncaptured and reported", async () => {
    await dataSource.query("CREATE RULE keep AS ON DELETE TO ledger DO INSTEAD NOTHING")
    await dataSource.query("ALTER TABLE ledger ADD COLUMN key serial PRIMARY KEY")
    const { affected } = await dataSource.manager.delete(Ledger, { name: "a" })

    expect(affected).toBe(0)
    expect(captured.logged.join()).toContain("Ledger is not captured: its table has rules")
  })
})
