import { inspect, isDeepStrictEqual } from "node:util"
import type { DataSource, EntityManager } from "typeorm"
import { loadDataset } from "../../fixtures/dataset"
import { fixtureEntities } from "../../fixtures/fixture-entities"
import { hostileEntities } from "../../fixtures/hostile/hostile-entities"
import type { PostgresVersion } from "../servers/postgres"
import { describeOnEveryPostgres } from "../servers/test-database"
import { captureDatabase, type CapturedDatabase } from "./captured-database"
import { expectedChanges, toldChange, type ExpectedChange } from "./expected-changes"
import { installGroundTruth, type GroundTruth, type RowChange } from "./ground-truth"

/** Often enough for a text to be sent unprepared (twice) and prepared (from the third time on). */
const RUNS = 3

/** What one run of a case works with. */
export interface WriteCase {
  readonly dataSource: DataSource
  readonly manager: EntityManager
  /** The address of the database, for a connection past TypeORM. */
  readonly url: string
  readonly version: PostgresVersion
  /** A text that no other run has. */
  unique(prefix: string): string
  /** A number that no other run has. */
  uniqueNumber(): number
  /** Ends the arrangement: what was written before it is not looked at. */
  begin(): Promise<void>
  /** What was logged, with the database's other cases. */
  readonly logged: readonly string[]
}

/** What a consumer learns of a case, and what not. */
export interface Outcome {
  /** `create device`, …: the events in their order. Their images are always compared with a reload. */
  readonly told: readonly string[]
  /** Rows whose write was noticed and made no event, by table. */
  readonly detected?: Readonly<Record<string, number>>
  /** Rows that changed without an event, as the database knows them: `insert dcim.device_tag`. In any order. */
  readonly untold?: readonly string[]
  /** Statements of several connections ran at once: their answers may arrive in another order than their commits. */
  readonly inAnyOrder?: boolean
}

export type ItTells = (
  sentence: string,
  outcome: readonly string[] | Outcome,
  work: (run: WriteCase) => Promise<unknown>,
) => void

/**
 * Runs each case three times on every Postgres, on a database with the dataset, and compares what it told with what
 * the database's triggers saw in the same transactions.
 */
export function describeWrites(define: (itTells: ItTells) => void): void {
  describeOnEveryPostgres((version) => {
    let domain: Domain

    beforeAll(async () => void (domain = await captureDomain(version)))
    afterAll(() => domain.captured.close())

    define((sentence, outcome, work) =>
      it(sentence, async () => {
        const expected = isList(outcome) ? { told: outcome } : outcome
        for (let run = 0; run < RUNS; run++) await runCase(domain, version, expected, work)
      }))
  })
}

interface Domain {
  readonly captured: CapturedDatabase
  readonly truth: GroundTruth
  /** Up to where the ground truth has been read. */
  mark: number
}

let count = 0

async function captureDomain(version: PostgresVersion): Promise<Domain> {
  const captured = await captureDatabase(version, {
    dataSource: { entities: [...fixtureEntities, ...hostileEntities] },
  })
  await loadDataset(captured.dataSource.manager)
  await captured.events()
  return { captured, truth: await installGroundTruth(captured.database.url), mark: 0 }
}

async function runCase(
  domain: Domain,
  version: PostgresVersion,
  outcome: Outcome,
  work: (run: WriteCase) => Promise<unknown>,
): Promise<void> {
  const { captured, truth } = domain
  const { dataSource, changes, database, logged } = captured
  let uncaptured = changes.status().uncaptured
  const begin = async (): Promise<void> => {
    await captured.events()
    domain.mark = await truth.mark()
    uncaptured = changes.status().uncaptured
  }
  count++
  const unique = (prefix: string): string => `${prefix}-${count}`
  await work({
    dataSource,
    manager: dataSource.manager,
    url: database.url,
    version,
    unique,
    uniqueNumber: () => count,
    begin,
    logged,
  })

  const events = (await captured.events()).map(toldChange)
  const told = outcome.inAnyOrder ? sorted(events) : events
  const rows = await truth.changesSince(domain.mark)
  domain.mark = rows.at(-1)?.id ?? domain.mark
  await compare(dataSource, outcome, told, rows)
  expectDetected(outcome.detected ?? {}, logged, uncaptured, changes.status().uncaptured)
}

async function compare(
  dataSource: DataSource,
  outcome: Outcome,
  told: readonly ExpectedChange[],
  rows: readonly RowChange[],
): Promise<void> {
  const expected = await expectedChanges(dataSource, rows)
  const written = outcome.inAnyOrder ? sorted(expected) : expected
  const missing = withoutTold(written, told)
  if (missing === undefined || !outcome.untold) expect(told).toEqual(written)
  const labels = told.map(({ action, model }) => `${action} ${model}`)
  expect(outcome.inAnyOrder ? labels.sort() : labels).toEqual(outcome.told)

  const sideRows = rows.filter((row) => isSideTable(dataSource, row)).map(labelOf)
  const missed = (missing ?? []).map(({ action, model }) => `${action} ${model}`)
  expect([...sideRows, ...missed].sort()).toEqual([...(outcome.untold ?? [])].sort())
}

function sorted(changes: readonly ExpectedChange[]): ExpectedChange[] {
  const text = (change: ExpectedChange): string => inspect(change, { sorted: true, depth: null })
  return [...changes].sort((a, b) => text(a).localeCompare(text(b)))
}

/** What was written and not told; undefined when something was told that was not written, or in another order. */
function withoutTold(
  written: readonly ExpectedChange[],
  told: readonly ExpectedChange[],
): ExpectedChange[] | undefined {
  const rest = [...told]
  const missing = written.filter((change) => {
    if (!isDeepStrictEqual(change, rest[0])) return true
    rest.shift()
    return false
  })
  return rest.length === 0 ? missing : undefined
}

/** Junction and closure tables, which no entity of the application's stands for. */
function isSideTable(dataSource: DataSource, { schema, table }: RowChange): boolean {
  return dataSource.entityMetadatas.some(
    (metadata) =>
      ["junction", "closure-junction"].includes(metadata.tableType) && metadata.tablePath === `${schema}.${table}`,
  )
}

function labelOf({ operation, schema, table }: RowChange): string {
  return `${operation} ${schema}.${table}`
}

interface Uncaptured {
  readonly statements: number
  readonly rows: number
}

function expectDetected(
  detected: Readonly<Record<string, number>>,
  logged: readonly string[],
  before: Uncaptured,
  after: Uncaptured,
): void {
  const tables = Object.keys(detected)
  const rows = Object.values(detected).reduce((sum, each) => sum + each, 0)
  expect({ rows: after.rows - before.rows, any: after.statements > before.statements }).toEqual({
    rows,
    any: tables.length > 0,
  })
  for (const table of tables) {
    expect(logged.join("\n")).toContain(`WRITE_UNCAPTURED: a write to "${table}" made no events`)
  }
  expect(logged.filter((line) => line.includes("CAPTURE_FAILED"))).toEqual([])
}

function isList(outcome: readonly string[] | Outcome): outcome is readonly string[] {
  return Array.isArray(outcome)
}
