import "reflect-metadata"
import { execFileSync } from "node:child_process"
import { join } from "node:path"
import { parseArgs } from "node:util"
import type { DataSource } from "typeorm"
import { startEmbeddedPostgres } from "../fixtures/postgres/embedded-postgres"
import { backlog, type Backlog } from "./backlog"
import { openSources, type BenchSources } from "./data-sources"
import { fillHeldRows, type HeldEvents } from "./held-events"
import { printBetween, printComparison, printRates } from "./print"
import { relayRate } from "./relay-rate"
import { bulkUpdate, saveInsert, saveUpdate, updateOne, updatesInOneTransaction } from "./scenarios"
import { soak, type SoakLine } from "./soak"

const scenarios = { saveInsert, saveUpdate, updateOne, updatesInOneTransaction, bulkUpdate }

/**
 * `npm run bench [scenario …]`; with BENCH_POSTGRES_URL on that server instead of the embedded Postgres 18. `backlog`, and `soak [--minutes 10]`, run only
 * when they are named.
 */
async function main(): Promise<void> {
  const { values, positionals: wanted } = parseArgs({
    allowPositionals: true,
    options: { minutes: { type: "string", default: "10" } },
  })
  const given = process.env.BENCH_POSTGRES_URL
  const server = given ? undefined : await startEmbeddedPostgres()
  const url = given ?? server?.url() ?? ""
  const sources = await openSources(url)
  console.log(
    `Postgres ${sources.bare.driver.version}, Node ${process.version}; time relative to TypeORM without capture\n`,
  )
  for (const [name, scenario] of Object.entries(scenarios)) {
    if (wanted.length > 0 && !wanted.includes(name)) continue
    printComparison(await scenario(sources))
    await sources.changes.flush()
  }
  if (wanted.length === 0 || wanted.includes("heldEvents")) await printHeldEvents(sources.bare, url)
  if (wanted.length === 0 || wanted.includes("relayRate")) await printRelayRate(sources, url)
  if (wanted.includes("backlog")) printBacklog(await backlog(sources, url))
  if (wanted.includes("soak")) await printSoak(sources, { url, minutes: Number(values.minutes) })
  console.log(`events delivered: ${sources.changes.status().brokers["accepting"]?.delivered}`)
  await sources.close()
  await server?.stop()
}

async function printHeldEvents(dataSource: DataSource, url: string): Promise<void> {
  await dataSource.query(fillHeldRows)
  const output = execFileSync(process.execPath, [join(__dirname, "held-events.js"), url])
  const { events, atCommitMb, untilDeliveredMb } = JSON.parse(output.toString()) as HeldEvents
  console.log(`${events} events of one transaction`)
  console.log(
    `  ${atCommitMb.toFixed(0)} MB more process memory at the commit, ${untilDeliveredMb.toFixed(0)} MB until delivered`,
  )
}

async function printRelayRate(sources: BenchSources, url: string): Promise<void> {
  for (const comparison of await relayRate(sources, url)) {
    printRates(comparison)
    if ("rowByRow" in comparison.ratios) printBetween(comparison, "relay", "rowByRow")
  }
}

function printBacklog({ events, eventBytes, rates, rssMb, rssSlopeMb }: Backlog): void {
  console.log(
    `${events} events of ${eventBytes} bytes that waited in the log, delivered by one relay to a Redis stream`,
  )
  for (const [index, rate] of rates.entries()) {
    console.log(
      `  ${String((index + 1) * 100_000).padStart(9)}   ${rate.toFixed(0)} a second   ${rssMb[index]?.toFixed(0)} MB`,
    )
  }
  console.log(`  memory grows by ${rssSlopeMb.toFixed(1)} MB for each 100,000 events`)
}

async function printSoak(
  sources: BenchSources,
  options: { readonly url: string; readonly minutes: number },
): Promise<void> {
  console.log(`${options.minutes} minutes of updates, delivered by a relay to a Redis stream`)
  const onLine = ({ minutes, written, delivered, writerMb, relayMb }: SoakLine): void =>
    console.log(
      `  ${minutes.toFixed(1)} min   ${written} written, ${written - delivered} behind   writer ${writerMb.toFixed(0)} MB, relay ${relayMb.toFixed(0)} MB`,
    )
  const { written, writerSlopeMb, relaySlopeMb } = await soak(sources, { ...options, onLine })
  console.log(
    `  all ${written} delivered; memory grows by ${writerSlopeMb.toFixed(2)} and ${relaySlopeMb.toFixed(2)} MB a minute`,
  )
}

main().catch((error: unknown) => {
  console.error(error)
  process.exitCode = 1
})
