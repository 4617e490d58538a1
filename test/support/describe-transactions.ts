import type { EventEmitter } from "node:events"
import {
  EventSubscriber,
  type DataSource,
  type EntityManager,
  type EntitySubscriberInterface,
  type QueryRunner,
} from "typeorm"
import { fixtureEntities } from "../../fixtures/fixture-entities"
import { DeferredUnique } from "../../fixtures/hostile/deferred-unique"
import { Tag } from "../../fixtures/inventory/tag"
import { describeOnEveryPostgres } from "../servers/test-database"
import { captureDatabase, type CapturedDatabase } from "./captured-database"
import { expectedChanges, toldChange } from "./expected-changes"
import { installGroundTruth, type GroundTruth } from "./ground-truth"

type Hook = "afterTransactionCommit" | "afterInsert"

let failingHook: Hook | undefined

/** Another subscriber of the application's, which throws where a test says so. */
@EventSubscriber()
class Troublemaker implements EntitySubscriberInterface {
  afterTransactionCommit(): void {
    fail("afterTransactionCommit")
  }

  afterInsert(): void {
    fail("afterInsert")
  }
}

function fail(hook: Hook): void {
  if (failingHook === hook) throw new Error(`${hook} of another subscriber`)
}

/** What the tests of transactions have in common. Its databases exist while a test runs. */
export interface TransactionSuite {
  readonly captured: CapturedDatabase
  readonly dataSource: DataSource
  readonly truth: GroundTruth
  save(manager: EntityManager, name: string): Promise<unknown>
  /** The names in the events, once these are proved to be what was committed, in its order. */
  told(): Promise<string[]>
  onRunner(work: (runner: QueryRunner) => Promise<void>): Promise<void>
  /** From now on, for this test, the hook of another subscriber throws. */
  failIn(hook: Hook): void
}

/** Runs the tests on every Postgres, and as with older versions of pg, which do not tell a transaction's status. */
export function describeTransactions(tests: (suite: TransactionSuite) => void): void {
  const variants = ["the driver's transaction status", "the count of BEGINs alone"] as const
  describeOnEveryPostgres((version) =>
    describe.each(variants)("by %s", (variant) => {
      let captured: CapturedDatabase
      let truth: GroundTruth

      beforeAll(async () => {
        captured = await captureDatabase(version, { dataSource: { entities: [...fixtureEntities, DeferredUnique] } })
        if (variant === "the count of BEGINs alone") withoutStatus(captured.dataSource)
        captured.dataSource.subscribers.push(new Troublemaker())
        truth = await installGroundTruth(captured.database.url)
      })
      afterAll(() => captured.close())
      beforeEach(async () => {
        failingHook = undefined
        await truth.reset()
        await captured.events()
      })

      tests({
        get captured() {
          return captured
        },
        get dataSource() {
          return captured.dataSource
        },
        get truth() {
          return truth
        },
        save: (manager, name) => manager.insert(Tag, { name }),
        told: () => toldNames(captured, truth),
        onRunner: (work) => onRunner(captured.dataSource, work),
        failIn: (hook) => void (failingHook = hook),
      })
    }),
  )
}

function withoutStatus(dataSource: DataSource): void {
  const pool = (dataSource.driver as unknown as { master: EventEmitter }).master
  pool.on("connect", (client: { getTransactionStatus?: unknown }) => (client.getTransactionStatus = undefined))
}

async function toldNames(captured: CapturedDatabase, truth: GroundTruth): Promise<string[]> {
  const events = await captured.events()
  const expected = await expectedChanges(captured.dataSource, await truth.changesSince())
  expect(events.map(toldChange)).toEqual(expected)
  return events.map((event) => String(event.postchange?.["name"] ?? event.prechange?.["name"]))
}

async function onRunner(dataSource: DataSource, work: (runner: QueryRunner) => Promise<void>): Promise<void> {
  const runner = dataSource.createQueryRunner()
  try {
    await work(runner)
  } finally {
    await runner.release()
  }
}
