import "reflect-metadata"
import { Client } from "pg"
import { DataSource } from "typeorm"
import { fixtureOptions } from "../../../fixtures/fixture-options"
import { changeEvents, type EventBroker } from "../../../src"
import { redisStreamBroker } from "../../../src/brokers/redis-stream"
import { webhookBroker } from "../../../src/brokers/webhook"

// Delivers to a Redis stream, or to a webhook, until SIGTERM. KILL_AT kills it at a step of its fifth batch: after-read (before it is sent), after-send
// (before the answer is taken in), before-move, after-move-sent. SKEW_MS is added to its clock.

const { URL_OF_DATABASE: url = "", URL_OF_REDIS: redis = "", URL_OF_HOOK: hook } = process.env
const { KILL_AT = "", SKEW_MS = "0", SHARDS = "1" } = process.env
const KILLED_BATCH = 5
const LEASE_MS = 1_000

const now = Date.now
Date.now = () => now() + Number(SKEW_MS)

const kill = (): void => void process.kill(process.pid, "SIGKILL")
let batches = 0
const isAt = (step: string): boolean => KILL_AT === step && batches >= KILLED_BATCH

function killedAtMoves(): void {
  const query = Client.prototype.query as (...args: unknown[]) => unknown
  Client.prototype.query = function (this: Client, ...args: unknown[]): unknown {
    const { text = "" } = args[0] as { text?: string }
    const isMove = /UPDATE \S+cursor\S* SET done/.test(text)
    if (isMove && isAt("before-move")) kill()
    const answer = query.apply(this, args)
    if (isMove && isAt("after-move-sent")) kill()
    return answer
  } as never
}

function killedAtSending(broker: EventBroker): EventBroker {
  return {
    ...broker,
    publish: (message) => broker.publish(message),
    publishBatch: async (messages) => {
      batches++
      if (isAt("after-read")) kill()
      const results = await broker.publishBatch?.(messages)
      if (isAt("after-send")) kill()
      return results ?? []
    },
  }
}

function broker(): EventBroker {
  if (hook === undefined) return killedAtSending(redisStreamBroker({ url: redis, stream: "events" }))
  const secret = `whsec_${Buffer.alloc(24).toString("base64")}`
  return webhookBroker({ url: hook, secret, allowPrivateAddresses: true })
}

async function main(): Promise<void> {
  killedAtMoves()
  const silent = { warn: () => undefined, error: () => undefined }
  const changes = changeEvents({
    delivery: { mode: "outbox", batchSize: 20, publishTimeoutMs: 500, maxRetryDelayMs: 200 },
    logger: silent,
  })
  changes.registerBroker("broker", broker(), { shards: Number(SHARDS) })
  const dataSource = new DataSource({ ...fixtureOptions, url, subscribers: [changes.subscriber] })
  await dataSource.initialize()
  const relay = await changes.startRelay({ leaseMs: LEASE_MS })
  process.once("SIGTERM", () => void relay.stop().then(() => process.exit(0)))
}

void main()
