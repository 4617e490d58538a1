import "reflect-metadata"
import { execFileSync } from "node:child_process"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { startEmbeddedPostgres } from "../fixtures/postgres/embedded-postgres"
import { backlog } from "./backlog"
import { openSources, type BenchSources } from "./data-sources"
import { fillHeldRows, type HeldEvents } from "./held-events"
import { latency } from "./latency"
import {
  printBacklog,
  printBetween,
  printComparison,
  printHeldEvents,
  printLatency,
  printRates,
  printSoak,
  printSoakLine,
} from "./print"
import { relayRate } from "./relay-rate"
import { roundTrip } from "./round-trip"
import { bulkUpdate, saveInsert, saveUpdate, updateOne, updatesInOneTransaction } from "./scenarios"
import { soak } from "./soak"
import { triggers } from "./triggers"
import { wakeUps } from "./wake-ups"

interface Surroundings {
  readonly sources: BenchSources
  readonly url: string
  readonly minutes: number
}

type Scenario = (surroundings: Surroundings) => Promise<void>

/** What runs when nothing is named. Times relative to TypeORM without capture, but for those that say what they are. */
const standard: Readonly<Record<string, Scenario>> = {
  saveInsert: async ({ sources }) => printComparison(await saveInsert(sources)),
  saveUpdate: async ({ sources }) => printComparison(await saveUpdate(sources)),
  updateOne: async ({ sources }) => printComparison(await updateOne(sources)),
  updatesInOneTransaction: async ({ sources }) => printComparison(await updatesInOneTransaction(sources)),
  bulkUpdate: async ({ sources }) => printComparison(await bulkUpdate(sources)),
  // save() with a millisecond to the database and back.
  roundTrip: async ({ url }) => (await roundTrip(url)).forEach(printComparison),
  // Raw statements on a table with the package's triggers, relative to one without.
  triggers: async ({ sources, url }) => (await triggers(sources, url)).forEach(printComparison),
  // Memory of 100,000 events that one transaction holds.
  heldEvents: async ({ sources, url }) => {
    await sources.bare.query(fillHeldRows)
    const output = execFileSync(process.execPath, [join(__dirname, "held-events.js"), url])
    printHeldEvents(JSON.parse(output.toString()) as HeldEvents)
  },
  // Events a second of a relay to Redis, relative to raw pipelines of the same client, and to row by row.
  relayRate: async ({ sources, url }) => {
    for (const comparison of await relayRate(sources, url)) {
      printRates(comparison)
      if ("rowByRow" in comparison.ratios) printBetween(comparison, "relay", "rowByRow")
    }
  },
  // From COMMIT to a reader of a Redis stream, with the outbox and by direct delivery, at 500 events a second.
  latency: async ({ url }) => (await latency(url)).forEach(printLatency),
  // Transactions a second of 16 writers with wake-ups, relative to those without.
  wakeUps: async ({ url }) => printRates(await wakeUps(url)),
}

/** What runs only when it is named. */
const long: Readonly<Record<string, Scenario>> = {
  // A million events that waited in the log.
  backlog: async ({ sources, url }) => printBacklog(await backlog(sources, url)),
  // Many minutes of writing: latency, memory and the log's size over time.
  soak: async ({ sources, url, minutes }) => printSoak(await soak(sources, { url, minutes, onLine: printSoakLine })),
}

/**
 * `npm run bench [scenario …] [-- --minutes 10]`; with BENCH_POSTGRES_URL on that server, in an empty database, instead of the embedded
 * Postgres 18.
 */
async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { minutes: { type: "string" } },
  })
  // Without `--` in between npm keeps the option's name for itself, and passes its value on.
  const isNumber = (given: string): boolean => /^[\d.]+$/.test(given)
  const minutes = Number(values.minutes ?? positionals.find(isNumber) ?? 10)
  const wanted = positionals.filter((name) => !isNumber(name))
  const all = { ...standard, ...long }
  const unknown = wanted.filter((name) => !(name in all))
  if (unknown.length > 0) throw new Error(`no scenario ${unknown.join(", ")}; there are ${Object.keys(all).join(", ")}`)
  const given = process.env.BENCH_POSTGRES_URL
  const server = given ? undefined : await startEmbeddedPostgres()
  const url = given ?? server?.url() ?? ""
  const sources = await openSources(url)
  console.log(
    `Postgres ${sources.bare.driver.version}, Node ${process.version}; time relative to TypeORM without capture\n`,
  )
  const names = wanted.length > 0 ? wanted : Object.keys(standard)
  for (const name of names) {
    await (all[name] as Scenario)({ sources, url, minutes })
    await sources.changes.flush()
  }
  console.log(`events delivered: ${sources.changes.status().brokers["accepting"]?.delivered}`)
  await sources.close()
  await server?.stop()
}

main().catch((error: unknown) => {
  console.error(error)
  process.exit(1)
})
