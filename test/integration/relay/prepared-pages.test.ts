import { changeLogTables } from "../../../src/outbox/change-log-tables"
import { BEGINNING } from "../../../src/relay/cursor-position"
import { driverClient } from "../../../src/relay/driver-client"
import { PreparedPages } from "../../../src/relay/prepared-pages"
import { RelayConnection } from "../../../src/relay/relay-connection"
import { WindowReader, type LogPage } from "../../../src/relay/window-reader"
import { describeOnEveryPostgres } from "../../servers/test-database"
import { outboxDatabase, type OutboxDatabase } from "../../support/outbox-database"

const tables = changeLogTables()
const PAGE_ROWS = 10

describeOnEveryPostgres((version) => {
  let log: OutboxDatabase
  let connection: RelayConnection
  let reads: number

  beforeEach(async () => {
    log = await outboxDatabase(version)
    connection = new RelayConnection({ createClient: () => driverClient(log.dataSource), timeoutMs: 10_000 })
    reads = 0
  })
  afterEach(async () => {
    await connection.close()
    await log.close()
  })

  function pagesAhead() {
    const reader = new WindowReader(BEGINNING, { connection, tables, shard: 0, shards: 1, pageRows: PAGE_ROWS })
    const prepare = ({ rows }: LogPage) => rows.map(({ id, key }) => ({ key, rowId: id }) as never)
    return new PreparedPages(reader, () => ++reads, prepare)
  }

  const write = (from: number, to: number): Promise<unknown> =>
    log.observer.query(`INSERT INTO ${tables.log} (key) SELECT n::text FROM generate_series($1::int, $2::int) AS n`, [
      from,
      to,
    ])

  /** Whatever reads, reads on this connection, one after the other. */
  async function whenQuiet(): Promise<void> {
    for (let before = -1; before !== reads;) {
      before = reads
      for (let turn = 0; turn < 5; turn++) await connection.query("SELECT 1")
    }
  }

  async function keysUntilIdle(pages: PreparedPages): Promise<string[]> {
    const keys: string[] = []
    for (;;) {
      const { page, rows } = await pages.next()
      if (page.isIdle) return keys
      keys.push(...rows.map(({ key }) => key))
    }
  }

  it("gives every row once and in order, however much was read ahead, and goes on when there is more", async () => {
    await write(1, 95)
    const pages = pagesAhead()
    expect(await keysUntilIdle(pages)).toEqual(Array.from({ length: 95 }, (_, n) => String(n + 1)))

    await write(96, 120)
    expect(await keysUntilIdle(pages)).toEqual(Array.from({ length: 25 }, (_, n) => String(n + 96)))
  })

  it("reads two pages ahead and no more, until the next is taken", async () => {
    await write(1, 100)
    const pages = pagesAhead()
    await pages.next()
    await whenQuiet()
    expect(reads).toBe(3)

    await pages.next()
    await whenQuiet()
    expect(reads).toBe(4)
  })

  it("reads nothing of its own accord behind a page that found nothing", async () => {
    const pages = pagesAhead()
    expect((await pages.next()).page.isIdle).toBe(true)
    await whenQuiet()
    expect(reads).toBe(1)
  })

  it("reads nothing more once it is stopped, and says when that is", async () => {
    await write(1, 100)
    const pages = pagesAhead()
    const lock = log.observer.createQueryRunner()
    await lock.startTransaction()
    await lock.query(`LOCK TABLE ${tables.log}`)
    const page = pages.next()
    let isStopped = false
    const stopped = pages.stop().then(() => (isStopped = true))
    await log.observer.query("SELECT 1")
    expect(isStopped).toBe(false)

    await lock.commitTransaction()
    await lock.release()
    expect((await page).rows).toHaveLength(PAGE_ROWS)
    await stopped
    await whenQuiet()
    expect(reads).toBe(1)
  })

  it("numbers its readings by when they began, so that one who waits for what is written now knows which to wait for", async () => {
    const pages = pagesAhead()
    const page = pages.next()
    expect(reads).toBe(1)
    expect((await page).read).toBe(1)
  })

  it("passes on what the database says, once, and reads again when it is asked", async () => {
    await write(1, 5)
    const pages = pagesAhead()
    await log.observer.query(`ALTER TABLE ${tables.log} RENAME COLUMN key TO other`)
    await expect(pages.next()).rejects.toMatchObject({ code: "42703" })
    await whenQuiet()
    expect(reads).toBe(1)

    await log.observer.query(`ALTER TABLE ${tables.log} RENAME COLUMN other TO key`)
    expect(await keysUntilIdle(pages)).toEqual(["1", "2", "3", "4", "5"])
  })
})
