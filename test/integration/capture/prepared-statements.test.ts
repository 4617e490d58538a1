import type { DataSource } from "typeorm"
import { Tag } from "../../../fixtures/inventory/tag"
import { describeOnEveryPostgres } from "../../servers/test-database"
import { captureDatabase, type CapturedDatabase } from "../../support/captured-database"

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
