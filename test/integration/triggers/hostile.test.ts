import { EntitySchema, type EntitySchemaColumnOptions } from "typeorm"
import type { Client } from "pg"
import type { ChangeEventsOptions } from "../../../src"
import { createChangeLog } from "../../../src/outbox/change-log-schema"
import { installTriggers } from "../../../src/triggers/trigger-migration"
import { triggersOf } from "../../../src/triggers/triggered-tables"
import { createTestDatabase, describeOnEveryPostgres } from "../../servers/test-database"
import type { OutboxDatabase } from "../../support/outbox-database"
import { emptyLog, installedTriggers, toldLine } from "../../support/triggered-database"
import { outboxDatabase } from "../../support/outbox-database"
import { withClient } from "../../support/with-client"

type Columns = Record<string, EntitySchemaColumnOptions>

const key: EntitySchemaColumnOptions = { type: "int", primary: true }
const text: EntitySchemaColumnOptions = { type: "text", nullable: true }
const texts = (...names: readonly string[]): Columns => Object.fromEntries(names.map((name) => [name, text]))

const entity = (name: string, columns: Columns, tableName = name): EntitySchema<object> =>
  new EntitySchema<object>({ name, tableName, columns: { id: key, ...columns } })

const wide = (count: number): EntitySchema<object> =>
  entity(`wide${count}`, texts(...Array.from({ length: count - 1 }, (_, index) => `column_${index}`)))

const LONG = "a_name_that_is_as_long_as_a_name_of_postgres_may_be_with_sixty"
const NAMES = ["old", "new", "found", "tg_op", "key", "body", "statement_id", "old_row", "n", "row", "user", "salt"]

const entities = {
  wide60: wide(60),
  wide900: wide(900),
  named: entity("named", texts(...NAMES)),
  longA: entity("longA", texts("name"), `${LONG}a`),
  longB: entity("longB", texts("name"), `${LONG}b`),
  shared: new EntitySchema<object>({
    name: "shared",
    columns: { region: { type: "text", primary: true }, id: key, name: text },
  }),
  guarded: entity("guarded", texts("name", "owner")),
  timed: entity("timed", {
    at: { type: "timestamptz", nullable: true },
    day: { type: "date", nullable: true },
    span: { type: "interval", nullable: true },
    bytes: { type: "bytea", nullable: true },
    ratio: { type: "float8", nullable: true },
    quoted: { type: "text", nullable: true },
  }),
  twice: entity("twice", { first: { type: "int", nullable: true }, second: { type: "int", nullable: true } }),
  parent: entity("parent", {}),
  coded: new EntitySchema<object>({ name: "coded", columns: { code: { type: "text", primary: true }, name: text } }),
}

const columns = (names: readonly string[]): string => names.map((name) => `"${name}" text`).join(", ")

const TABLES = [
  ...[60, 900].map(
    (count) =>
      `CREATE TABLE wide${count} (id int PRIMARY KEY, ${columns(Array.from({ length: count - 1 }, (_, at) => `column_${at}`))})`,
  ),
  `CREATE TABLE named (id int PRIMARY KEY, ${columns(NAMES)})`,
  `CREATE TABLE ${LONG}a (id int PRIMARY KEY, name text)`,
  `CREATE TABLE ${LONG}b (id int PRIMARY KEY, name text)`,
  "CREATE TABLE shared (region text, id int, name text, PRIMARY KEY (region, id)) PARTITION BY LIST (region)",
  "CREATE TABLE shared_north PARTITION OF shared FOR VALUES IN ('north')",
  "CREATE TABLE shared_south PARTITION OF shared FOR VALUES IN ('south')",
  `CREATE TABLE guarded (id int PRIMARY KEY, name text, "owner" text)`,
  "CREATE TABLE timed (id int PRIMARY KEY, at timestamptz, day date, span interval, bytes bytea, ratio float8, quoted text)",
  "CREATE TABLE parent (id int PRIMARY KEY)",
  `CREATE TABLE twice (id int PRIMARY KEY, first int REFERENCES parent ON DELETE SET NULL, second int REFERENCES parent ON DELETE SET NULL)`,
  "CREATE TABLE coded (code text PRIMARY KEY, name text)",
]

describeOnEveryPostgres((version) => {
  let outbox: OutboxDatabase

  beforeAll(async () => {
    outbox = await outboxDatabase(version, {
      changes: { capture: "triggers" },
      dataSource: { entities: Object.values(entities) },
    })
    for (const table of TABLES) await outbox.observer.query(table)
    await installedTriggers(outbox)
  })
  afterAll(() => outbox.close())
  beforeEach(() => emptyLog(outbox))

  const elsewhere = (work: (client: Client) => Promise<unknown>): Promise<unknown> =>
    withClient(outbox.database.url, work)
  const run = (...statements: readonly string[]): Promise<unknown> =>
    elsewhere(async (client) => {
      for (const statement of statements) await client.query(statement)
    })
  const lines = async (): Promise<readonly string[]> => (await outbox.events()).map(toldLine)

  it.each([60, 900])("tells tables of %i columns", async (count) => {
    const last = `column_${count - 2}`
    await run(
      `INSERT INTO wide${count} (id, column_0, ${last}) VALUES (1, 'a', 'b'), (2, NULL, 'c')`,
      `UPDATE wide${count} SET ${last} = 'd'`,
      `DELETE FROM wide${count}`,
    )

    const model = `wide${count}`
    expect(await lines()).toEqual([
      `create ${model} 1`,
      `create ${model} 2`,
      `update ${model} 1 {"${last}":"b"} → {"${last}":"d"}`,
      `update ${model} 2 {"${last}":"c"} → {"${last}":"d"}`,
      `delete ${model} 1`,
      `delete ${model} 2`,
    ])
    expect(Object.keys((await outbox.events())[0]?.postchange ?? {})).toHaveLength(count)
  })

  it("tells columns that are called as the trigger calls its own", async () => {
    await run(
      `INSERT INTO named VALUES (1, ${NAMES.map((name) => `'${name}'`).join(", ")})`,
      `UPDATE named SET "old" = 'x', "tg_op" = 'y', "key" = NULL`,
      "TRUNCATE named",
    )

    const [create] = await outbox.events()
    expect(create?.postchange).toEqual({ id: 1, ...Object.fromEntries(NAMES.map((name) => [name, name])) })
    expect((await lines()).slice(1)).toEqual([
      `update named 1 {"old":"old","tg_op":"tg_op","key":"key"} → {"old":"x","tg_op":"y","key":null}`,
      "delete named 1",
    ])
  })

  it("tells tables apart whose names differ in the last of 63 characters", async () => {
    await run(`INSERT INTO ${LONG}a VALUES (1, 'a')`, `INSERT INTO ${LONG}b VALUES (1, 'b')`)

    expect(await lines()).toEqual(["create longa 1", "create longb 1"])
  })

  it("tells a partitioned table, also of a row that moves, by the key that it had", async () => {
    await run(
      "INSERT INTO shared VALUES ('north', 1, 'a'), ('south', 2, 'b'), ('north', 3, 'c')",
      "UPDATE shared SET region = 'south' WHERE id = 1",
      "UPDATE shared SET name = 'd' WHERE id > 1",
      "TRUNCATE shared",
    )

    const told = await lines()
    expect(told.slice(0, 4)).toEqual([
      "create shared north,1",
      "create shared south,2",
      "create shared north,3",
      `update shared north,1 {"region":"north"} → {"region":"south"}`,
    ])
    expect([...told.slice(4)].sort()).toEqual([
      "delete shared north,3",
      "delete shared south,1",
      "delete shared south,2",
      `update shared north,3 {"name":"c"} → {"name":"d"}`,
      `update shared south,2 {"name":"b"} → {"name":"d"}`,
    ])
  })

  it("pairs no rows that do not belong together when a partition refuses one that moves", async () => {
    await run(
      "INSERT INTO shared VALUES ('north', 1, 'a'), ('north', 2, 'b')",
      `CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
         IF NEW.id = 1 THEN RETURN NULL; END IF; RETURN NEW; END $$`,
      "CREATE TRIGGER refuse BEFORE INSERT ON shared_south FOR EACH ROW EXECUTE FUNCTION refuse()",
      "UPDATE shared SET region = 'south'",
    )

    expect((await lines()).slice(2)).toEqual([
      "delete shared north,1",
      "delete shared north,2",
      "create shared south,2",
    ])
    await run("DROP TRIGGER refuse ON shared_south", "TRUNCATE shared")
  })

  it("does not see a write that names a partition, as the documentation says", async () => {
    await run("INSERT INTO shared_north VALUES ('north', 1, 'a')", "DELETE FROM shared_north")

    expect(await lines()).toEqual([])
  })

  it("writes the log for a role that may not, and sees what row security hides from it", async () => {
    await run(
      "CREATE ROLE writer NOLOGIN",
      "GRANT ALL ON guarded TO writer",
      "ALTER TABLE guarded ENABLE ROW LEVEL SECURITY",
      `CREATE POLICY own ON guarded USING ("owner" = current_user) WITH CHECK (true)`,
    )
    await run(
      "SET ROLE writer",
      "INSERT INTO guarded VALUES (1, 'a', 'writer'), (2, 'b', 'somebody')",
      "UPDATE guarded SET name = 'c'",
      "TRUNCATE guarded",
    ).finally(() => run("REVOKE ALL ON guarded FROM writer", "DROP POLICY own ON guarded", "DROP ROLE writer"))

    const told = await lines()
    expect(told.slice(0, 3)).toEqual([
      "create guarded 1",
      "create guarded 2",
      `update guarded 1 {"name":"a"} → {"name":"c"}`,
    ])
    expect([...told.slice(3)].sort()).toEqual(["delete guarded 1", "delete guarded 2"])
  })

  it("refuses a TRUNCATE of rows that row security hides from the trigger itself", async () => {
    await run("CREATE ROLE keeper NOLOGIN", "GRANT CREATE, USAGE ON SCHEMA change_events, public TO keeper")
    await run(
      "GRANT ALL ON change_events.log, change_events.statement TO keeper",
      "ALTER TABLE guarded OWNER TO keeper",
      `ALTER FUNCTION change_events."capture guarded"() OWNER TO keeper`,
      "ALTER TABLE guarded ENABLE ROW LEVEL SECURITY",
      "ALTER TABLE guarded FORCE ROW LEVEL SECURITY",
      "INSERT INTO guarded VALUES (1, 'a', 'somebody')",
    )
    await emptyLog(outbox)

    await expect(run("TRUNCATE guarded")).rejects.toThrow("would be affected by row-level security policy")
    await run("DELETE FROM guarded")

    expect(await lines()).toEqual(["delete guarded 1"])
    await run("REASSIGN OWNED BY keeper TO CURRENT_USER", "DROP OWNED BY keeper", "DROP ROLE keeper")
  })

  it("reads what a session with other settings wrote", async () => {
    await run(
      "SET datestyle = 'SQL, DMY'",
      "SET intervalstyle = 'sql_standard'",
      "SET timezone = 'Asia/Kathmandu'",
      "SET bytea_output = 'escape'",
      "SET extra_float_digits = -10",
      "SET standard_conforming_strings = off",
      "SET search_path = pg_catalog, public",
      `INSERT INTO timed VALUES (1, '2026-02-01T12:00:00Z', '01/02/2026', '1 02:03:04', '\\\\x00ff', 0.1::float8 + 0.2::float8, E'a"b\\\\c,(d)\\n')`,
    )

    const [event] = await outbox.events()
    expect(event?.postchange).toEqual({
      id: 1,
      at: "2026-02-01T12:00:00.000Z",
      day: "2026-02-01",
      span: expect.objectContaining({ days: 1, hours: 2, minutes: 3, seconds: 4 }) as object,
      bytes: "AP8=",
      ratio: 0.30000000000000004,
      quoted: 'a"b\\c,(d)\n',
    })
  })

  it("tells each change of a row that cascades change twice in one statement", async () => {
    await run(
      "INSERT INTO parent VALUES (1), (2)",
      "INSERT INTO twice VALUES (1, 1, 1), (2, 1, 2), (3, 2, 1)",
      "DELETE FROM parent WHERE id = 1",
    )

    const updates = (await lines()).filter((line) => line.startsWith("update"))
    expect([...updates].sort()).toEqual([
      `update twice 1 {"first":1} → {"first":null}`,
      `update twice 1 {"second":1} → {"second":null}`,
      `update twice 2 {"first":1} → {"first":null}`,
      `update twice 3 {"second":1} → {"second":null}`,
    ])
  })

  it("tells keys of any text", async () => {
    await run(
      `INSERT INTO coded VALUES ('a,b'), (E'line\\nbreak "\\\\'), (E'\\x1f'), ('größe 🔑')`,
      "DELETE FROM coded",
    )

    expect((await outbox.events()).map(({ postchange }) => postchange?.["code"]).slice(0, 4)).toEqual([
      "a,b",
      'line\nbreak "\\',
      "\u001f",
      "größe 🔑",
    ])
  })
})

describeOnEveryPostgres((version) => {
  it("writes into a change log of other names, rows that did not differ included if so wanted", async () => {
    const names = { schema: "Audit", tablePrefix: "ce_" }
    const options: ChangeEventsOptions = { capture: "triggers", outbox: names, emitUnchanged: true }
    const database = await createTestDatabase(version)
    try {
      const observer = await database.dataSource({ entities: [entities.parent, entities.coded] })
      for (const statement of [...TABLES.slice(-3), ...createChangeLog(names)]) await observer.query(statement)
      await observer.query(installTriggers(triggersOf(observer, options), names))
      await observer.query("INSERT INTO coded VALUES ('a')")
      await observer.query("UPDATE coded SET name = name")

      const rows = await observer.query<object[]>(`SELECT key, old_row, new_row FROM "Audit".ce_log ORDER BY id`)
      expect(rows).toEqual([
        { key: "app.coded:a", old_row: null, new_row: "(a,)" },
        { key: "app.coded:a", old_row: "(a,)", new_row: "(a,)" },
      ])
    } finally {
      await database.drop()
    }
  })
})
