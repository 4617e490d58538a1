import type { DataSource, EntityManager } from "typeorm"
import type { PostgresVersion } from "../servers/postgres"
import {
  createTestDatabase,
  describeOnEveryPostgres,
  type PostgresOptions,
  type TestDatabase,
} from "../servers/test-database"
import { clockless } from "./clockless"
import { expectedChanges, type ExpectedChange } from "./expected-changes"
import { installGroundTruth, type GroundTruth, type RowChange } from "./ground-truth"
import { HOSTILE_ROLE, hostileTables, type HostileTable } from "./hostile-tables"
import { writesTo, type HostileWrite } from "./hostile-writes"
import { withClient } from "./with-client"

/** A database that is captured in one way or another. */
export interface CapturedSide {
  readonly database: { readonly url: string }
  readonly dataSource: DataSource
  readonly logged: readonly string[]
  /** Makes what capture needs in the database, once the tables are there. */
  prepare(): Promise<void>
  /** What was told since the last call. */
  told(): Promise<readonly ExpectedChange[]>
  close(): Promise<void>
}

const entities = hostileTables.flatMap((table) => table.entities)

/** As a role that owns nothing: row security is for such. */
const asRole: Partial<PostgresOptions> = { entities, extra: { options: `-c role=${HOSTILE_ROLE}` } }

/**
 * Writes to every hostile table in every main way on two databases, of which one is captured. What the writes give, and what the tables
 * hold then, must be the same on both; what is told must be what triggers saw.
 */
export function describeHostileTables(
  open: (version: PostgresVersion, dataSource: Partial<PostgresOptions>) => Promise<CapturedSide>,
): void {
  describeOnEveryPostgres((version) => {
    let bare: { readonly database: TestDatabase; readonly dataSource: DataSource }
    let captured: CapturedSide
    let truth: GroundTruth

    beforeAll(async () => {
      const database = await createTestDatabase(version)
      await makeTables(database.url, version)
      bare = { database, dataSource: await database.dataSource(asRole) }
      captured = await open(version, asRole)
      await makeTables(captured.database.url, version)
      await captured.prepare()
      truth = await installGroundTruth(captured.database.url)
    })
    afterAll(() => Promise.all([bare.database.drop(), captured.close()]))

    it.each(hostileTables.map((table) => [table.title, table] as const))("%s", async (_, table) => {
      await prepareRows(table, bare.dataSource, captured)
      const mark = await truth.mark()
      for (const write of writesTo(table)) await compare(write)

      expect(await contents(captured.database.url, table)).toEqual(await contents(bare.database.url, table))
      const rows = await truth.changesSince(mark)
      const expected = await expectedChanges(captured.dataSource, table.rowsMove ? withMoves(rows) : rows)
      expect(await captured.told()).toEqual(expected)
      expect(expected.length).toBeGreaterThan(15)
      expect(captured.logged).toEqual([])
    })

    async function compare([name, write]: HostileWrite): Promise<void> {
      const [without, withCapture] = [await outcome(bare.dataSource, write), await outcome(captured.dataSource, write)]
      expect({ name, ...withCapture }).toStrictEqual({ name, ...without })
      expect(withCapture.error).toBeUndefined()
    }
  })
}

/** To the triggers of partitions a row that moves is deleted from one and inserted into another. */
function withMoves(rows: readonly RowChange[]): readonly RowChange[] {
  return rows.flatMap((row, at) => {
    const [last, next] = [rows[at - 1], rows[at + 1]]
    if (last && isMove(last, row)) return []
    return next && isMove(row, next) ? [{ ...row, operation: "update" as const, after: next.after }] : [row]
  })
}

function isMove(one: RowChange, next: RowChange): boolean {
  return one.operation === "delete" && next.operation === "insert" && one.transactionId === next.transactionId
}

async function makeTables(url: string, version: PostgresVersion): Promise<void> {
  await withClient(url, async (client) => {
    await client.query(
      `DO $$ BEGIN CREATE ROLE ${HOSTILE_ROLE}; EXCEPTION WHEN duplicate_object OR unique_violation THEN END $$`,
    )
    for (const statement of hostileTables.flatMap((table) => table.tables(version))) await client.query(statement)
    for (const schema of ["hostile", `"Odd Schema"`, "change_events"]) {
      const exists = await client.query("SELECT to_regnamespace($1) IS NOT NULL AS found", [schema])
      if (!(exists.rows[0] as { found: boolean }).found) continue
      await client.query(`GRANT USAGE ON SCHEMA ${schema} TO ${HOSTILE_ROLE}`)
      if (schema !== "change_events")
        await client.query(`GRANT ALL ON ALL TABLES IN SCHEMA ${schema} TO ${HOSTILE_ROLE}`)
    }
  })
}

async function prepareRows({ before = [] }: HostileTable, bare: DataSource, captured: CapturedSide): Promise<void> {
  for (const { manager } of [bare, captured.dataSource])
    for (const [entity, row] of before) await manager.insert(entity, row)
  await captured.told()
}

interface WriteOutcome {
  readonly result?: unknown
  readonly error?: string
}

async function outcome(
  { manager }: DataSource,
  write: (manager: EntityManager) => Promise<unknown>,
): Promise<WriteOutcome> {
  return write(manager).then(
    (result) => ({ result: clockless(result) }),
    (error: unknown) => ({ error: String(error) }),
  )
}

async function contents(url: string, { entities: own }: HostileTable): Promise<unknown> {
  return withClient(url, async (client) => {
    const tables = own.map(({ options }) =>
      [options.schema as string, options.tableName ?? options.name]
        .map((name) => client.escapeIdentifier(name))
        .join("."),
    )
    const rows = []
    for (const table of tables) rows.push((await client.query(`SELECT t::text FROM ${table} t ORDER BY 1`)).rows)
    return clockless(rows)
  })
}
