import "reflect-metadata"
import { execFileSync } from "node:child_process"
import { join } from "node:path"
import type { DataSource } from "typeorm"
import { startEmbeddedPostgres } from "../fixtures/postgres/embedded-postgres"
import { openSources } from "./data-sources"
import { fillHeldRows, type HeldEvents } from "./held-events"
import type { Comparison } from "./interleaved"
import { bulkUpdate, saveInsert, saveUpdate, updateOne, updatesInOneTransaction } from "./scenarios"

const scenarios = { saveInsert, saveUpdate, updateOne, updatesInOneTransaction, bulkUpdate }

/** `npm run bench [scenario …]`; with BENCH_POSTGRES_URL on that server instead of the embedded Postgres 18. */
async function main(): Promise<void> {
  const wanted = process.argv.slice(2)
  const given = process.env.BENCH_POSTGRES_URL
  const server = given ? undefined : await startEmbeddedPostgres()
  const url = given ?? server?.url() ?? ""
  const sources = await openSources(url)
  console.log(
    `Postgres ${sources.bare.driver.version}, Node ${process.version}; time relative to TypeORM without capture\n`,
  )
  for (const [name, scenario] of Object.entries(scenarios)) {
    if (wanted.length > 0 && !wanted.includes(name)) continue
    print(await scenario(sources))
    await sources.changes.flush()
  }
  if (wanted.length === 0 || wanted.includes("heldEvents")) await printHeldEvents(sources.bare, url)
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

function print({ name, ratios }: Comparison): void {
  const { control } = ratios
  const noisy = control && Math.abs(control.median - 1) > 0.05 ? "   (too noisy: the control is not near 1)" : ""
  console.log(name + noisy)
  for (const [variant, { median, low, high }] of Object.entries(ratios)) {
    if (variant !== "bare")
      console.log(`  ${variant.padEnd(10)} ${median.toFixed(2)} ×   (${low.toFixed(2)}–${high.toFixed(2)})`)
  }
}

main().catch((error: unknown) => {
  console.error(error)
  process.exitCode = 1
})
