import "reflect-metadata"
import { Client } from "pg"
import { DataSource } from "typeorm"
import { fixtureOptions } from "../../../fixtures/fixture-options"
import { changeEvents, type EventBroker } from "../../../src"
import { redisStreamBroker } from "../../../src/brokers/redis-stream"
import { webhookBroker } from "../../../src/brokers/webhook"

// Delivers to a Redis stream, or to a webhook, until SIGTERM. KILL_AT kills it (or sends it SIGNAL) at a step of its fifth batch: after-read (before it is sent), after-send
// (before the answer is taken in), before-move, after-move-sent. SKEW_MS is added to its clock.

const { URL_OF_DATABASE: url = "", URL_OF_REDIS: redis = "", URL_OF_HOOK: hook } = process.env
const { KILL_AT = "", SIGNAL = "SIGKILL", SKEW_MS = "0", SHARDS = "1" } = process.env
const KILLED_BATCH = 5
const LEASE_MS = 1_000

const now = Date.now
Date.now = () => now() + Number(SKEW_MS)

let batches = 0
let isKilled = false

function at(step: string): void {
  if (KILL_AT !== step || batches < KILLED_BATCH || isKilled) return
  isKilled = true
  process.kill(process.pid, SIGNAL)
}

function killedAtMoves(): void {
  const query = Client.prototype.query as (...args: unknown[]) => unknown
  Client.prototype.query = function (this: Client, ...args: unknown[]): unknown {
    const { text = "" } = args[0] as { text?: string }
    const isMove = /UPDATE \S+cursor\S* SET done/.test(text)
    if (isMove) at("before-move")
    const answer = query.apply(this, args)
    if (isMove) at("after-move-sent")
    return answer
  } as never
}

function killedAtSending(broker: EventBroker): EventBroker {
  return {
    ...broker,
    publish: (message) => broker.publish(message),
    publishBatch: async (messages) => {
      batches++
      at("after-read")
      const results = await broker.publishBatch?.(messages)
      at("after-send")
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
