import type { DataSource, QueryRunner } from "typeorm"
import type { LogRow } from "../../../src/events/log-row"
import { changeLogTables } from "../../../src/outbox/change-log-tables"
import { BEGINNING } from "../../../src/relay/cursor-position"
import { driverClient } from "../../../src/relay/driver-client"
import { RelayConnection } from "../../../src/relay/relay-connection"
import { WindowReader, type LogPage } from "../../../src/relay/window-reader"
import { describeOnEveryPostgres } from "../../servers/test-database"
import { outboxDatabase, type OutboxDatabase } from "../../support/outbox-database"

const tables = changeLogTables()

describeOnEveryPostgres((version) => {
  let log: OutboxDatabase
  let connection: RelayConnection
  let runners: QueryRunner[]

  beforeEach(async () => {
    log = await outboxDatabase(version)
    connection = new RelayConnection({ createClient: () => driverClient(log.dataSource), timeoutMs: 10_000 })
    runners = []
  })
  afterEach(async () => {
    for (const runner of runners) await runner.release()
    await connection.close()
    await log.close()
  })

  const windowReader = (position = BEGINNING) =>
    new WindowReader(position, { connection, tables, shard: 0, shards: 1, pageRows: 100 })

  const begin = async (): Promise<QueryRunner> => {
    const runner = log.observer.createQueryRunner()
    runners.push(runner)
    await runner.query("BEGIN")
    return runner
  }

  it("gives what a transaction wrote before the reader looked and committed after it, though nothing else ended meanwhile", async () => {
    const reader = windowReader()
    const writer = await begin()
    await write(writer, "a")
    expect(await readAll(reader)).toEqual([])
    await writer.query("COMMIT")
    expect(await readAll(reader)).toEqual(["a"])
  })

  it("gives once each what several such transactions wrote, in whatever order they end", async () => {
    const reader = windowReader()
    const [first, second, third] = [await begin(), await begin(), await begin()]
    await write(first, "a")
    await write(second, "b")
    expect(await readAll(reader)).toEqual([])
    await write(third, "c")
    await second.query("COMMIT")
    expect(await readAll(reader)).toEqual(["b"])
    await write(third, "d")
    await third.query("COMMIT")
    expect(await readAll(reader)).toEqual(["c", "d"])
    await first.query("COMMIT")
    expect(await readAll(reader)).toEqual(["a"])
    expect(await readAll(reader)).toEqual([])
  })

  it("looks through a long log a part at a time, and finds in it what a transaction wrote that was open when it began", async () => {
    const writer = await begin()
    await write(writer, "a")
    await log.observer.query(
      `INSERT INTO ${tables.log} (key, event, record) SELECT 'before', '{}', '{}' FROM generate_series(1, 50000)`,
    )
    await write(writer, "b")
    const reader = windowReader(await windowReader().now())
    await writer.query("COMMIT")
    await log.observer.query(`INSERT INTO ${tables.log} (key, event, record) VALUES ('c', '{}', '{}')`)
    const pages: LogPage[] = []
    for (let page = await reader.next(); !page.isIdle; page = await reader.next()) pages.push(page)

    const places = pages.map(({ before }) => Number(before.window?.lastId))
    const strides = places.slice(1).map((place, index) => place - (places[index] as number))
    expect(pages.flatMap(({ rows }) => rows.map(({ key }) => key))).toEqual(["a", "b", "c"])
    // The first is short, as are those of a log of which all is new.
    expect(strides[0]).toBeLessThanOrEqual(1_000)
    expect(Math.max(...strides.slice(0, -1))).toBeLessThanOrEqual(20_000)
    // From where it was left, as another relay would.
    expect(await readAll(windowReader(pages[0]?.after))).toEqual(["b", "c"])
  })

  /** What each look at the log gave, after the first commit and after the last. */
  async function readSchedule(read: () => Promise<readonly string[]>): Promise<readonly (readonly string[])[]> {
    const [late, early, slow] = [await begin(), await begin(), await begin()]
    await late.query("SELECT pg_current_xact_id()")
    await early.query("SELECT pg_current_xact_id()")
    await write(slow, "other row")
    await write(early, "row: 0 to 1")
    await early.query("COMMIT")
    const first = await read()
    await write(late, "row: 1 to 2")
    await late.query("COMMIT")
    await slow.query("COMMIT")
    return [first, await read()]
  }

  describe("when the transaction that began first changes the row last", () => {
    it("reads at once, all and in order", async () => {
      const reader = windowReader()
      expect(await readSchedule(() => readAll(reader))).toEqual([["row: 0 to 1"], ["other row", "row: 1 to 2"]])
    })

    it("differs from reading greater ids, which loses an event", async () => {
      let last = "0"
      const read = async (): Promise<readonly string[]> => {
        const rows = await keys(log.observer, "id > $1 ORDER BY id", [last])
        last = rows.at(-1)?.id ?? last
        return rows.map(({ key }) => key)
      }
      expect(await readSchedule(read)).toEqual([["row: 0 to 1"], ["row: 1 to 2"]])
    })

    it("differs from reading what is older than every open transaction, which waits and turns the row's order round", async () => {
      let last = "0"
      const read = async (): Promise<readonly string[]> => {
        const [row] = await log.observer.query<[{ xmin: string }]>(
          "SELECT pg_snapshot_xmin(pg_current_snapshot())::text AS xmin",
        )
        const rows = await keys(log.observer, "xid >= $1::xid8 AND xid < $2::xid8 ORDER BY xid, id", [last, row.xmin])
        last = row.xmin
        return rows.map(({ key }) => key)
      }
      expect(await readSchedule(read)).toEqual([[], ["row: 1 to 2", "row: 0 to 1", "other row"]])
    })
  })
})

const write = (writer: QueryRunner, key: string): Promise<unknown> =>
  writer.query(`INSERT INTO ${tables.log} (key, event, record) VALUES ($1, '{}', '{}')`, [key])

const keys = (dataSource: DataSource, condition: string, values: unknown[]): Promise<{ id: string; key: string }[]> =>
  dataSource.query(`SELECT id::text, key FROM ${tables.log} WHERE ${condition}`, values)

/** The keys of all rows that the reader has now. */
async function readAll(reader: WindowReader): Promise<readonly string[]> {
  const found: LogRow[] = []
  for (let page = await reader.next(); !page.isIdle; page = await reader.next()) found.push(...page.rows)
  return found.map(({ key }) => key)
}
