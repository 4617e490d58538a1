import { isDeepStrictEqual } from "node:util"
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
  /** Rows that changed without an event, as the database knows them: `update device`. In any order. */
  readonly untold?: readonly string[]
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
        await runCase(domain, version, isList(outcome) ? { told: outcome } : outcome, work)
      }))
  })
}

interface Domain {
  readonly captured: CapturedDatabase
  readonly truth: GroundTruth
}

let count = 0

async function captureDomain(version: PostgresVersion): Promise<Domain> {
  const captured = await captureDatabase(version, {
    dataSource: { entities: [...fixtureEntities, ...hostileEntities] },
  })
  await loadDataset(captured.dataSource.manager)
  await captured.events()
  return { captured, truth: await installGroundTruth(captured.database.url) }
}

/** What one run told, and the rows of the ground truth that belong to it: those after `from`, up to `to`. */
interface Run {
  readonly told: readonly ExpectedChange[]
  readonly from: number
  readonly to: number
}

async function runCase(
  domain: Domain,
  version: PostgresVersion,
  outcome: Outcome,
  work: (run: WriteCase) => Promise<unknown>,
): Promise<void> {
  const runs: Run[] = []
  for (let run = 0; run < RUNS; run++) runs.push(await runOnce(domain, version, outcome, work))

  const rows = await domain.truth.changesSince(runs[0]?.from)
  const isOfARun = ({ id }: RowChange): boolean => runs.some(({ from, to }) => id > from && id <= to)
  await compare(domain.captured.dataSource, outcome, runs, rows, isOfARun)
}

async function runOnce(
  { captured }: Domain,
  version: PostgresVersion,
  outcome: Outcome,
  work: (run: WriteCase) => Promise<unknown>,
): Promise<Run> {
  const { dataSource, changes, database, logged } = captured
  const { manager } = dataSource
  const suffix = ++count
  let uncaptured = changes.status().uncaptured
  let from = await truthMark(dataSource)
  await work({
    dataSource,
    manager,
    url: database.url,
    version,
    logged,
    unique: (prefix) => `${prefix}-${suffix}`,
    uniqueNumber: () => suffix,
    begin: async () => {
      await captured.events()
      from = await truthMark(dataSource)
      uncaptured = changes.status().uncaptured
    },
  })

  const told = (await captured.events()).map(toldChange)
  expectDetected(outcome.detected ?? {}, logged, uncaptured, changes.status().uncaptured)
  return { told, from, to: await truthMark(dataSource) }
}

/** As `GroundTruth.mark()`, on a connection that is open already: a case needs it six times. */
async function truthMark(dataSource: DataSource): Promise<number> {
  const [row] = await dataSource.query<{ mark: number }[]>(
    "SELECT coalesce(max(id), 0)::float8 AS mark FROM ground_truth.change",
  )
  return row?.mark ?? 0
}

async function compare(
  dataSource: DataSource,
  outcome: Outcome,
  runs: readonly Run[],
  rows: readonly RowChange[],
  isMeant: (row: RowChange) => boolean,
): Promise<void> {
  const told = runs.flatMap((run) => run.told)
  const written = await expectedChanges(dataSource, rows, { isMeant })
  const missing = withoutTold(written, told)
  if (missing === undefined || !outcome.untold) expect(told).toEqual(written)
  for (const run of runs) expect(run.told.map(nameOf)).toEqual(outcome.told)

  const untold = runs.flatMap(() => outcome.untold ?? [])
  expect((missing ?? []).map(nameOf).sort()).toEqual(untold.sort())
}

function nameOf({ action, model }: ExpectedChange): string {
  return `${action} ${model}`
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
