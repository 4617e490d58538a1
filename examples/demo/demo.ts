import "reflect-metadata"
import { DataSource } from "typeorm"
import { fixtureOptions } from "../../fixtures/fixture-options"
import { startEmbeddedPostgres } from "../../fixtures/postgres/embedded-postgres"
import { changeEvents } from "../../src"
import { consoleBroker } from "../../src/brokers/console"
import { redisBroker } from "../../src/brokers/redis"
import { fillDatabase } from "./fill-database"
import { createNarration } from "./narration"
import { findRedis } from "./redis"
import { sendRequests } from "./requests"
import { startInventory } from "./server"
import { summarise } from "./summary"
import { untilStopped } from "./until-stopped"

/** `npm run demo`: a small inventory API, and what its changes tell. With `--serve` it stays up. */
async function main(): Promise<void> {
  const narration = createNarration(process.stdout)
  narration.title("An inventory API on Express, TypeORM and Postgres, and the events of its changes")

  const postgres = await startEmbeddedPostgres()
  narration.fact("Postgres", `${postgres.url()} (from npm, empty, gone when this ends)`)
  await fillDatabase(postgres.url())
  const redis = await findRedis()
  narration.fact("Redis", redis.found)

  const changes = changeEvents({
    topicPrefix: "inventory",
    brokers: {
      console: consoleBroker({ style: "diff", colour: narration.hasColour, stream: narration.eventStream }),
      ...(redis.url === undefined ? {} : { redis: redisBroker({ url: redis.url }) }),
    },
  })
  const dataSource = new DataSource({ ...fixtureOptions, url: postgres.url(), subscribers: [changes.subscriber] })
  await dataSource.initialize()
  const server = await startInventory(dataSource)
  narration.fact("API", server.url)

  if (process.argv.includes("--serve")) await serve()
  else await tell()

  await server.close()
  await changes.close()
  await dataSource.destroy()
  await postgres.stop()

  async function tell(): Promise<void> {
    const story = await sendRequests({ url: server.url, dataSource, changes, narration })
    if (!summarise(story, changes.status(), narration)) process.exitCode = 1
  }

  async function serve(): Promise<void> {
    narration.curlLines(server.url)
    await untilStopped()
    narration.note("stopping")
  }
}

main().catch((error: unknown) => {
  console.error(error)
  process.exit(1)
})
