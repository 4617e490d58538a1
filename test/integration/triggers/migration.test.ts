import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { DataSource } from "typeorm"
import { run } from "../../../src/cli/run"
import { createChangeLog } from "../../../src/outbox/change-log-schema"
import { createTestDatabase, describeOnEveryPostgres, type TestDatabase } from "../../servers/test-database"

const root = join(__dirname, "../../..")

describeOnEveryPostgres((version) => {
  let folder: string
  let database: TestDatabase
  let observer: DataSource
  let count = 0

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "change-events-"))
    database = await createTestDatabase(version)
    observer = await database.dataSource()
    for (const statement of createChangeLog()) await observer.query(statement)
  })
  afterEach(async () => {
    await database.drop()
    await rm(folder, { recursive: true })
  })

  /** Runs the command on a DataSource in which triggers capture these entities. */
  async function generate(
    entities: readonly string[],
    ...args: readonly string[]
  ): Promise<{ code: number; told: string }> {
    const at = (file: string): string => JSON.stringify(join(root, file))
    const path = join(folder, `ormconfig-${count++}.ts`)
    await writeFile(
      path,
      `import { DataSource } from ${at("node_modules/typeorm")}
import { changeEvents } from ${at("src")}
import { fixtureOptions } from ${at("fixtures/fixture-options")}
const entities = ${JSON.stringify(entities)}.map((entity) => ({ entity, capture: "triggers" as const }))
const changes = changeEvents({ delivery: "outbox", entities })
export const source = new DataSource({
  ...fixtureOptions, url: ${JSON.stringify(database.url)}, subscribers: [changes.subscriber], synchronize: true, dropSchema: true,
})
`,
    )
    const told: string[] = []
    const output = { write: async () => undefined, tell: (line: string) => void told.push(line) }
    return { code: await run(["triggers:generate", "-d", path, ...args], output), told: told.join("\n") }
  }

  /** A DataSource with the migration of these entities. */
  async function migrated(...entities: readonly string[]): Promise<DataSource> {
    const out = join(folder, `migrations-${count++}`)
    expect(await generate(entities, "-o", out, "--name", `Capture${count}`)).toMatchObject({ code: 0 })
    expect(await readdir(out)).toHaveLength(1)
    return database.dataSource({ migrations: [join(out, "*.ts")], migrationsTransactionMode: "none", logger: "debug" })
  }

  const triggers = async (): Promise<readonly string[]> => {
    const rows = await observer.query<{ table: string; name: string }[]>(
      `SELECT tgrelid::regclass::text AS table, tgname AS name FROM pg_trigger WHERE tgname LIKE 'change_events%' ORDER BY 1, 2`,
    )
    return rows.map(({ table, name }) => `${table} ${name.replace("change_events_", "")}`)
  }

  const ofTables = (...tables: readonly string[]): readonly string[] =>
    tables.flatMap((table) => ["delete", "insert", "truncate", "update"].map((event) => `${table} ${event}`))

  /** Tells at the COMMIT what a transaction did to many-to-many relations. */
  const RELATIONS = "change_events.relation_change relations"

  const functions = async (): Promise<readonly string[]> => {
    const rows = await observer.query<{ name: string }[]>(
      `SELECT proname AS name FROM pg_proc WHERE pronamespace = 'change_events'::regnamespace ORDER BY 1`,
    )
    return rows.map(({ name }) => name)
  }

  it("makes the triggers, may run again, and takes them away", async () => {
    const dataSource = await migrated("Device", "Site")
    await dataSource.runMigrations()
    expect(await triggers()).toEqual([RELATIONS, ...ofTables("dcim.device", "dcim.device_tag", "dcim.site")])

    await observer.query("DELETE FROM migrations WHERE name LIKE 'Capture%'")
    await dataSource.runMigrations()
    expect(await triggers()).toEqual([RELATIONS, ...ofTables("dcim.device", "dcim.device_tag", "dcim.site")])

    await dataSource.undoLastMigration()
    expect([await triggers(), await functions()]).toEqual([[], []])
    expect(await observer.query("SELECT to_regclass('change_events.relation_change') AS left")).toEqual([
      { left: null },
    ])
  })

  it("leaves those of the next migration, and no others", async () => {
    await (await migrated("Device", "Site")).runMigrations()
    await (await migrated("Site", "Tag")).runMigrations()

    expect(await triggers()).toEqual(ofTables("dcim.site", "extras.tag"))
    expect(await functions()).toEqual(["capture dcim.site", "capture extras.tag"])
  })

  it.each([
    ["a table is missing", "DROP TABLE extras.tag CASCADE"],
    ["a junction is missing", "DROP TABLE dcim.device_tag"],
    ["the change log is missing", "DROP TABLE change_events.statement CASCADE"],
  ])("leaves nothing behind when it fails because %s", async (_, statement) => {
    const dataSource = await migrated("Device", "Tag")
    await observer.query(statement)

    await expect(dataSource.runMigrations()).rejects.toThrow("does not exist")

    expect([await triggers(), await functions()]).toEqual([[], []])
    expect(await observer.query("SELECT to_regclass('change_events.relation_change') AS left")).toEqual([
      { left: null },
    ])
  })

  it("is compared with the database by --check, which changes nothing", async () => {
    const check = (...entities: readonly string[]) => generate(entities, "--check")
    const lines = ({ told }: { told: string }): readonly string[] => told.split("\n- ").slice(1)
    const before = await check("Device", "Site")
    expect(before.code).toBe(1)
    expect(lines(before)).toEqual([
      "Device has no triggers",
      "Device.tags has no triggers",
      "Site has no triggers",
      "many-to-many relations has no triggers (TRIGGERS_STALE)",
    ])

    await (await migrated("Device", "Site")).runMigrations()
    expect(await check("Device", "Site")).toEqual({
      code: 0,
      told: "the triggers of Device, Device.tags, Site, many-to-many relations are up to date",
    })

    const others = await check("Site", "Tag")
    expect(others.code).toBe(1)
    expect(lines(others)).toEqual([
      "Tag has no triggers",
      '"capture (relations)" captures what no entity asks for',
      '"capture dcim.device" captures what no entity asks for',
      '"capture dcim.device_tag" captures what no entity asks for (TRIGGERS_STALE)',
    ])

    await observer.query("DROP TRIGGER change_events_update ON dcim.site")
    await observer.query("ALTER TABLE dcim.site DISABLE TRIGGER change_events_delete")
    await observer.query("DROP TRIGGER change_events_truncate ON dcim.device_tag")
    await observer.query("ALTER TABLE change_events.relation_change DISABLE TRIGGER change_events_relations")
    await observer.query(`COMMENT ON FUNCTION change_events."capture dcim.device"() IS 'changed'`)
    const changed = await check("Device", "Site")
    expect(changed.code).toBe(1)
    expect(lines(changed)).toEqual([
      "Device has triggers for other columns or options",
      "Device.tags lacks change_events_truncate, or they are disabled",
      "Site lacks change_events_update, change_events_delete, or they are disabled",
      "many-to-many relations lacks change_events_relations, or they are disabled (TRIGGERS_STALE)",
    ])
  })
})
