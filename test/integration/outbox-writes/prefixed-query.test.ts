import { Client } from "pg"
import type { DriverConnection } from "../../../src/capture/driver-connection"
import type { QueryConfig } from "../../../src/capture/driver-query"
import { PrefixFailed, queryBehind } from "../../../src/capture/prefixed-query"
import { ROWS_AS_TEXT } from "../../../src/capture/rows-as-text"
import type { SqlStatement } from "../../../src/events/transactional-sink"
import { createTestDatabase, describeOnEveryPostgres, type TestDatabase } from "../../servers/test-database"

const COMMIT: QueryConfig = { text: "COMMIT" }

/** How often the server is asked, from here on, what the rows of a statement are. */
function countDescriptions(client: Client): () => number {
  const { connection } = client as unknown as { connection: { describe(this: unknown, what: unknown): void } }
  const { describe } = connection
  let count = 0
  connection.describe = function (what) {
    count++
    describe.call(this, what)
  }
  return () => count
}

function insert(value: string, name = ""): SqlStatement {
  return { name, text: "INSERT INTO noted (value) VALUES ($1)", values: [value] }
}

describeOnEveryPostgres((version) => {
  let database: TestDatabase
  let client: Client

  beforeAll(async () => void (database = await createTestDatabase(version)))
  afterAll(() => database.drop())
  beforeEach(async () => {
    client = new Client(database.url)
    await client.connect()
    await client.query("DROP TABLE IF EXISTS noted")
    await client.query("CREATE TABLE noted (value text UNIQUE DEFERRABLE INITIALLY DEFERRED CHECK (value <> 'bad'))")
  })
  afterEach(() => client.end())

  const behind = (prefix: readonly SqlStatement[], config: QueryConfig = COMMIT): Promise<unknown> =>
    queryBehind(client as unknown as DriverConnection, client.query as never, prefix, config)
  const noted = async (): Promise<unknown[]> =>
    (await client.query<{ value: string }>("SELECT value FROM noted ORDER BY value")).rows.map(({ value }) => value)

  it("carries out the statements and the query, and gives the query's own result", async () => {
    await client.query("BEGIN")
    await behind([insert("a"), insert("b")])
    const selected = await behind([insert("c")], { text: "SELECT $1::int + 1 AS sum", values: [41], name: "sum" })

    expect(selected).toMatchObject({ command: "SELECT", rowCount: 1, rows: [{ sum: 42 }] })
    expect(await noted()).toEqual(["a", "b", "c"])
  })

  it.each([
    ["the table is missing", "DROP TABLE noted", insert("a"), "42P01"],
    ["a constraint refuses it", "SELECT 1", insert("bad"), "23514"],
    ["the transaction has failed already", "SELECT 1/0", insert("a"), "25P02"],
  ])("does not commit when %s", async (_case, before, statement, code) => {
    await client.query("BEGIN")
    await client.query("CREATE TABLE IF NOT EXISTS other (value text)")
    await client.query("INSERT INTO other VALUES ('lost')")
    await client.query(before).catch(() => undefined)

    const error = await behind([statement]).then(
      () => undefined,
      (thrown: unknown) => thrown,
    )

    expect(error).toBeInstanceOf(PrefixFailed)
    expect(error).toMatchObject({ cause: { code } })
    await client.query("ROLLBACK")
    expect((await client.query("SELECT to_regclass('other') AS other")).rows).toEqual([{ other: null }])
  })

  it("tells a refused COMMIT from a refused statement", async () => {
    await client.query("BEGIN")

    await expect(behind([insert("twice"), insert("twice")])).rejects.toMatchObject({ code: "23505" })
    expect(await noted()).toEqual([])
  })

  it("works on after a prepared statement has failed, at its parsing or later", async () => {
    const failing = (prefix: SqlStatement): Promise<unknown> =>
      behind([prefix], { text: "SELECT 1 AS one", name: "one" }).then(
        () => expect(prefix).toBe("refused"),
        () => client.query("ROLLBACK"),
      )
    await behind([insert("before", "note")])
    await failing(insert("bad", "note"))
    await failing({ ...insert("x", "other"), text: "INSERT INTO missing VALUES ($1)" })
    await behind([insert("after", "note"), insert("again", "other")], { text: "SELECT 1 AS one", name: "one" })
    await client.query({ text: "SELECT 1 AS one", name: "one" })

    expect(await noted()).toEqual(["after", "again", "before"])
  })

  it.each([
    ["lists of texts", ROWS_AS_TEXT, ["1", null]],
    ["what the driver makes of them", {}, { one: 1, nothing: null }],
  ])("is asked once what the rows of a prepared statement are, and gives %s each time", async (_case, kind, row) => {
    const asked = countDescriptions(client)
    const select = { text: "SELECT 1 AS one, NULL AS nothing", name: "both", ...kind }
    const answers = [await behind([], select), await behind([insert("a")], select), await behind([], select)]

    expect(asked()).toBe(1)
    for (const answer of answers)
      expect(answer).toMatchObject({ command: "SELECT", rowCount: 1, rows: [row], fields: [{ name: "one" }, {}] })
  })

  it("is asked again for a statement that was not kept", async () => {
    const asked = countDescriptions(client)
    for (const value of ["1", "'a'::text"]) await behind([], { text: `SELECT ${value} AS value`, ...ROWS_AS_TEXT })

    expect(asked()).toBe(2)
  })

  it("says that the connection broke, and not that the statement was refused, when it breaks", async () => {
    client.on("error", () => undefined)
    const { rows } = await client.query<{ pid: number }>("SELECT pg_backend_pid() AS pid")
    const broken = behind([{ name: "", text: "SELECT pg_sleep(30)", values: [] }]).catch((error: unknown) => error)
    const other = new Client(database.url)
    await other.connect()
    await other.query("SELECT pg_terminate_backend($1)", [rows[0]?.pid])
    await other.end()

    const error = await broken
    expect(error).toBeInstanceOf(Error)
    expect(error).not.toBeInstanceOf(PrefixFailed)
  })
})
