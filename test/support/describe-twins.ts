import { types } from "node:util"
import type { DataSource, EntityManager } from "typeorm"
import { changeEvents } from "../../src"
import { createChangeLog } from "../../src/outbox/change-log-schema"
import { loadDataset } from "../../fixtures/dataset"
import { fixtureEntities } from "../../fixtures/fixture-entities"
import { hostileEntities } from "../../fixtures/hostile/hostile-entities"
import { memoryBroker } from "../../src/testing"
import type { PostgresVersion } from "../servers/postgres"
import { createTestDatabase, describeOnEveryPostgres } from "../servers/test-database"
import { clockless } from "./clockless"
import { hookRecorder, type HookRecorder } from "./hook-recorder"

/** Often enough for a text to be sent unprepared (twice) and prepared (from the third time on). */
const RUNS = 3

/** What an operation works with, the same on all databases but for the DataSource. */
export interface Twin {
  readonly dataSource: DataSource
  readonly manager: EntityManager
  /** A text that no other run has, and the same run on the other databases has too. */
  unique(prefix: string): string
  readonly run: number
}

export type Operation = (twin: Twin) => Promise<unknown>

export type ItDoesTheSame = (sentence: string, operation: Operation) => void

/**
 * Runs each operation three times on databases with the same rows, of which one is not captured, one is, and one writes its changes into a
 * change log, and expects the same results, errors, hook calls and table contents. An operation gives what is compared: results, and
 * entities it passed in.
 */
export function describeTwins(define: (itDoesTheSame: ItDoesTheSame) => void): void {
  describeOnEveryPostgres((version) => {
    let bare: Side
    let twins: readonly Side[]

    beforeAll(async () => {
      ;[bare, ...twins] = await Promise.all([
        openSide(version),
        openSide(version, "direct"),
        openSide(version, "outbox"),
      ])
    })
    afterAll(() => Promise.all([bare, ...twins].map((side) => side.close())))

    define((sentence, operation) =>
      it(sentence, async () => {
        const name = `${sentence.slice(0, 12)}-${count++}`
        const without = await runOn(bare, name, operation)
        for (const twin of twins) {
          const withCapture = await runOn(twin, name, operation)

          expect(withCapture.outcomes).toStrictEqual(without.outcomes)
          expect(withCapture.calls).toStrictEqual(without.calls)
          expect(withCapture.contents).toStrictEqual(without.contents)
          expect(twin.logged.filter((line) => line.includes("CAPTURE_FAILED"))).toEqual([])
        }
      }))
  })
}

let count = 0

/** One of the databases. */
interface Side {
  readonly dataSource: DataSource
  readonly recorder: HookRecorder
  readonly logged: readonly string[]
  close(): Promise<void>
}

async function openSide(version: PostgresVersion, delivery?: "direct" | "outbox"): Promise<Side> {
  const logged: string[] = []
  const logger = { warn: (line: string) => void logged.push(line), error: (line: string) => void logged.push(line) }
  const changes = changeEvents({ brokers: { memory: memoryBroker() }, logger, delivery })
  const database = await createTestDatabase(version)
  const entities = [...fixtureEntities, ...hostileEntities]
  const dataSource = await database.dataSource({ entities, subscribers: delivery ? [changes.subscriber] : [] })
  await dataSource.query(SAME_UUIDS)
  if (delivery === "outbox") for (const statement of createChangeLog()) await dataSource.query(statement)
  await loadDataset(dataSource.manager)
  const recorder = hookRecorder()
  dataSource.subscribers.push(recorder)
  return {
    dataSource,
    recorder,
    logged,
    close: async () => {
      await changes.close()
      await database.drop()
    },
  }
}

/** Makes keys that the database invents the same on all sides. */
const SAME_UUIDS = `
CREATE SEQUENCE public.uuids;
CREATE FUNCTION public.next_uuid() RETURNS uuid LANGUAGE sql AS
  $$ SELECT lpad(nextval('public.uuids')::text, 32, '0')::uuid $$;
DO $$
DECLARE
  target record;
BEGIN
  FOR target IN
    SELECT format('%I.%I', table_schema, table_name) AS "table", column_name AS "column" FROM information_schema.columns
    WHERE column_default = 'gen_random_uuid()'
  LOOP
    EXECUTE format('ALTER TABLE %s ALTER COLUMN %I SET DEFAULT public.next_uuid()', target."table", target."column");
  END LOOP;
END $$;
`

interface Trace {
  readonly outcomes: unknown
  readonly calls: unknown
  readonly contents: unknown
}

async function runOn({ dataSource, recorder }: Side, name: string, operation: Operation): Promise<Trace> {
  const outcomes: unknown[] = []
  recorder.calls.length = 0
  for (let run = 0; run < RUNS; run++) {
    const unique = (prefix: string): string => `${prefix}-${name}-${run}`
    const outcome = operation({ dataSource, manager: dataSource.manager, unique, run })
    outcomes.push(await outcome.then(clockless, (error: unknown) => ({ thrown: describeError(error) })))
  }
  const calls = [...recorder.calls]
  return { outcomes, calls, contents: await contentsOf(dataSource) }
}

/**
 * What capture may change of an error: the statement's text, places in it, and what the server was doing within it (a
 * prepared statement is refused when it is bound, a locked row is waited for by the sub-select that locks it).
 */
const OF_THE_STATEMENT = ["query", "position", "length", "stack", "where", "file", "line", "routine"]

function describeError(error: unknown): unknown {
  if (!types.isNativeError(error)) return error
  const own = Object.entries(error).filter(([name]) => !OF_THE_STATEMENT.includes(name))
  const fields = own.map(([name, value]) => [
    name,
    types.isNativeError(value) ? describeError(value) : clockless(value),
  ])
  return { prototype: Object.getPrototypeOf(error), message: error.message, ...Object.fromEntries(fields) }
}

/** Every row of every fixture table. */
async function contentsOf(dataSource: DataSource): Promise<unknown> {
  const tables = await dataSource.query<{ name: string }[]>(
    `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables
     WHERE schemaname NOT IN ('pg_catalog', 'information_schema', 'change_events') ORDER BY 1`,
  )
  const rows = tables.map(({ name }) => `SELECT ${quoted(name)} AS "table", to_jsonb(t)::text AS row FROM ${name} t`)
  return clockless(await dataSource.query(`${rows.join(" UNION ALL ")} ORDER BY 1, 2`))
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}
