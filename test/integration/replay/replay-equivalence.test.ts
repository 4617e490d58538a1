import fc from "fast-check"
import type { DataSource } from "typeorm"
import { Book } from "../../../fixtures/hostile/book"
import { ClosureNode } from "../../../fixtures/hostile/closure-node"
import { Shelf } from "../../../fixtures/hostile/shelf"
import { Device } from "../../../fixtures/inventory/device"
import { Interface } from "../../../fixtures/inventory/interface"
import { IPAddress } from "../../../fixtures/inventory/ip-address"
import { Site } from "../../../fixtures/inventory/site"
import { Tag } from "../../../fixtures/inventory/tag"
import { describeOnEveryPostgres } from "../../servers/test-database"
import { captureDatabase } from "../../support/captured-database"
import { EARLY_DEADLOCKS } from "../../support/crossed-transactions"
import { EventStore, type StoredEvent } from "../../support/event-store"
import { outboxDatabase } from "../../support/outbox-database"
import { carryOut, giveFewKeys, randomTransaction, type RandomTransaction } from "../../support/random-transactions"
import { recordingBroker } from "../../support/recording-broker"
import { installedTriggers } from "../../support/triggered-database"

const entities = [Site, Device, Interface, IPAddress, Tag, ClosureNode, Shelf, Book]
const CONNECTIONS = 4
const TRANSACTIONS = 50

const connections = { entities, poolSize: CONNECTIONS, extra: EARLY_DEADLOCKS }

/** A database whose events are delivered. */
interface Delivered {
  readonly database: { readonly url: string }
  readonly dataSource: DataSource
  readonly logged: readonly string[]
  /** Those since the last call, in the order of their delivery. */
  events(): Promise<readonly StoredEvent[]>
  close(): Promise<void>
}

// 2,000 transactions on each version of Postgres.
describe.each([
  ["directly", 22],
  ["by the relay of an outbox", 14],
  ["by the relay, as triggers saw them", 4],
] as const)("events that are delivered %s", (mode, runs) => {
  describeOnEveryPostgres((version) => {
    let database: Delivered
    const seed = Number(process.env["SEED"] ?? Date.now() % 2 ** 31)

    beforeAll(async () => {
      database = mode === "directly" ? await direct() : await relayed()
      await giveFewKeys(database.dataSource)
    })
    afterAll(() => database.close())

    async function direct(): Promise<Delivered> {
      return captureDatabase(version, { dataSource: connections })
    }

    async function relayed(): Promise<Delivered> {
      const broker = recordingBroker({ batches: true, keepsOrder: true })
      const isByTriggers = mode === "by the relay, as triggers saw them"
      const changes = isByTriggers ? ({ capture: "triggers" } as const) : {}
      const log = await outboxDatabase(version, { changes, dataSource: connections })
      if (isByTriggers) await installedTriggers(log)
      log.changes.registerBroker("broker", broker)
      await log.changes.startRelay()
      let seen = 0
      const events = async (): Promise<readonly StoredEvent[]> => {
        await log.changes.flush()
        const fresh = broker.accepted.slice(seen)
        seen += fresh.length
        return fresh.map(({ topic, body }) => {
          const [action = "", , model = ""] = topic.split(".")
          return { ...(JSON.parse(body) as StoredEvent), action, model }
        })
      }
      return {
        database: log.database,
        dataSource: log.dataSource,
        logged: log.logged,
        events,
        close: () => log.close(),
      }
    }

    it(`make of an empty store what the tables hold, after ${runs * TRANSACTIONS} random transactions on ${CONNECTIONS} connections`, async () => {
      // Before Postgres 18, and by triggers, an update of a list alone shows the row beside it without a lock (docs/guarantees.md).
      const takesAll = version >= 18 && mode !== "by the relay, as triggers saw them"
      const store = new EventStore({ takes: takesAll ? "records" : "differences" })
      const counts = { transactions: 0, committed: 0, events: 0 }
      process.stdout.write(`replay equivalence on Postgres ${version}, ${mode}: SEED=${seed}\n`)

      await fc.assert(
        fc.asyncProperty(
          fc.array(randomTransaction, { minLength: TRANSACTIONS, maxLength: TRANSACTIONS }),
          async (all) => {
            counts.committed += await carryOutAll(database.dataSource, all)
            // Not beside the others: a TRUNCATE takes the whole table, and would often be what a deadlock ends.
            if (counts.transactions % (2 * TRANSACTIONS) === 0) await database.dataSource.manager.clear(Book)
            counts.transactions += all.length
            const events = await database.events()
            counts.events += events.length
            for (const event of events) store.apply(event)
            expect([...store.faults, ...database.logged]).toEqual([])
            expect(await store.compare(database.dataSource, database.database.url)).toEqual([])
          },
        ),
        { seed, numRuns: runs, endOnFailure: true, reporter: throwCause },
      )

      process.stdout.write(`${JSON.stringify({ ...counts, rows: store.size })}\n`)
      expect(counts.transactions).toBe(runs * TRANSACTIONS)
      expect(counts.events).toBeGreaterThan(runs * TRANSACTIONS)
    }, 180_000)
  })
})

/** The fault alone: the seed is printed, and fifty transactions in front of it would hide it. */
function throwCause({ failed, errorInstance }: fc.RunDetails<[RandomTransaction[]]>): void {
  if (failed) throw errorInstance
}

/** On several connections at once. Gives how many were committed. */
async function carryOutAll(dataSource: DataSource, transactions: readonly RandomTransaction[]): Promise<number> {
  const waiting = [...transactions]
  let committed = 0
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      if (await carryOut(dataSource, next)) committed++
    }
  }
  await Promise.all(Array.from({ length: CONNECTIONS }, work))
  return committed
}
