import { join } from "node:path"
import { Client } from "pg"
import { startRedisServer } from "../test/servers/redis-server"
import type { BenchSources } from "./data-sources"
import { compareRates, type RateComparison } from "./interleaved"
import { logCopies, loggedEvent, type LoggedEvent } from "./log-copies"
import type { RateRequest, RateRole } from "./rate-worker"
import { startWorker, type Worker } from "./worker"

type RateWorker = Worker<RateRequest, "done">

const ROUNDS = 5
const EVENTS = 50_000

/** Row by row takes thirty times as long. */
const ROWS = 2_000

interface Surroundings {
  readonly client: Client
  readonly event: LoggedEvent
  readonly message: RateRequest["message"]
}

/** Events that wait in the log, by a relay to Redis, against what the client can do without one. Its latency is in it: the clock starts at COMMIT. */
export async function relayRate(sources: BenchSources, url: string): Promise<readonly RateComparison[]> {
  const redis = await startRedisServer()
  const client = new Client(url)
  await client.connect()
  await client.query(
    "CREATE TABLE bench_outbox (id bigserial PRIMARY KEY, event_id text, topic text, key text, body text)",
  )
  const start = (role: RateRole): Promise<RateWorker> =>
    startWorker(join(__dirname, "rate-worker.js"), [role, url, redis.url])
  try {
    const comparisons: RateComparison[] = []
    for (const command of ["XADD", "PUBLISH"] as const) {
      const event = await loggedEvent(sources)
      const { key, record: body, eventId: id } = event
      const message = { id, topic: "update.dcim.device", key, body }
      comparisons.push(await compareCommand(command, start, { client, event, message }))
    }
    return comparisons
  } finally {
    await client.query("DROP TABLE bench_outbox")
    await client.end()
    await redis.remove()
  }
}

async function compareCommand(
  command: "XADD" | "PUBLISH",
  start: (role: RateRole) => Promise<RateWorker>,
  surroundings: Surroundings,
): Promise<RateComparison> {
  const raw = await start(`raw ${command}`)
  const relay = await start(`relay ${command}`)
  const rowByRow = command === "XADD" ? await start("row by row") : undefined
  const { message } = surroundings
  const rawRate = (): Promise<number> => rate(EVENTS, () => raw.ask({ count: EVENTS, message }))
  const variants = {
    [`raw ${command}`]: rawRate,
    control: rawRate,
    relay: () => relayed(relay, surroundings),
    ...(rowByRow && { rowByRow: () => relayedRowByRow(rowByRow, surroundings) }),
  }
  const compared = await compareRates(`relay to Redis, ${command}: events a second`, variants, ROUNDS)
  for (const worker of [raw, relay, rowByRow]) await worker?.stop()
  return compared
}

async function relayed(relay: RateWorker, { client, event, message }: Surroundings): Promise<number> {
  await client.query("TRUNCATE change_events.log")
  await client.query("BEGIN")
  const query = async <Row>(text: string, values?: unknown[]): Promise<Row> =>
    (await client.query(text, values)).rows as Row
  await logCopies(query, event, EVENTS)
  const done = relay.ask({ count: EVENTS, message })
  return rate(EVENTS, async () => {
    await client.query("COMMIT")
    await client.query(`NOTIFY "change_events.log"`)
    await done
  })
}

async function relayedRowByRow(relay: RateWorker, { client, message }: Surroundings): Promise<number> {
  const { id, topic, key, body } = message
  await client.query("TRUNCATE bench_outbox")
  await client.query(
    "INSERT INTO bench_outbox (event_id, topic, key, body) SELECT $1, $2, $3, $4 FROM generate_series(1, $5::int)",
    [id, topic, key, body, ROWS],
  )
  return rate(ROWS, () => relay.ask({ count: ROWS, message }))
}

/** How many in a second. */
async function rate(count: number, run: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await run()
  return (count / (performance.now() - start)) * 1_000
}
