import "reflect-metadata"
import { isDeepStrictEqual } from "node:util"
import { dataSource as tables } from "../../ormconfig"
import { countedUsage } from "./counted-usage"
import { identityClient, liveADay } from "./requests"
import { startIdentityService } from "./service"
import { startUsageConsumer } from "./usage-consumer"

/** Starts the service and its consumer, sends requests, and compares what the consumer knows with the tables. */
async function main(): Promise<void> {
  const databaseUrl = process.env["DATABASE_URL"] ?? "postgresql://localhost/identity"
  const redisUrl = process.env["REDIS_URL"] ?? "redis://localhost:6379"
  await createTables(databaseUrl)
  const consumer = await startUsageConsumer(redisUrl)
  const service = await startIdentityService({ databaseUrl, redisUrl })

  const names = await liveADay(identityClient(service.url, "admin"))
  await service.changes.flush()
  await consumer.caughtUp()
  const [told, counted] = [consumer.usage(), await countedUsage(service.dataSource)]

  print("Notifications", sorted(consumer.received()))
  print(
    "Usage by project",
    sorted(new Map([...told].map(([id, usage]) => [names.get(id) ?? id, JSON.stringify(usage)]))),
  )
  const agree = isDeepStrictEqual(new Map([...told].sort()), new Map([...counted].sort()))
  console.log(agree ? "The tables say the same." : `The tables say: ${JSON.stringify([...counted])}`)
  process.exitCode = agree ? 0 : 1

  consumer.stop()
  await service.close()
}

async function createTables(url: string): Promise<void> {
  tables.setOptions({ url })
  await tables.initialize()
  await tables.runMigrations()
  await tables.destroy()
}

function sorted<Value>(map: ReadonlyMap<string, Value>): readonly (readonly [string, Value])[] {
  return [...map].sort(([left], [right]) => left.localeCompare(right))
}

function print(title: string, rows: readonly (readonly [string, unknown])[]): void {
  console.log(title)
  for (const [name, value] of rows) console.log(`  ${name.padEnd(34)} ${String(value)}`)
}

main().catch((error: unknown) => {
  console.error(error)
  process.exit(1)
})
