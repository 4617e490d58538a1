// Run as a process of its own, because what is measured is its memory: `measured-relay.js <postgres url> <redis url>`.
import "reflect-metadata"
import { fork } from "node:child_process"
import { DataSource } from "typeorm"
import { fixtureOptions } from "../fixtures/fixture-options"
import { changeEvents } from "../src"
import { redisStreamBroker } from "../src/brokers/redis-stream"
import { STREAM } from "./stream-reader"

/** How a relay is doing. */
export interface RelaySample {
  /** Since it began, in milliseconds. */
  readonly atMs: number
  /** Events that Redis has taken since then. */
  readonly delivered: number
  /** Resident memory of its process, in megabytes. */
  readonly rssMb: number
}

/** A relay in a process of its own, delivering to a Redis stream. */
export interface MeasuredRelay {
  stop(): Promise<void>
}

/** So many entries the stream keeps: Redis' memory is not what is measured. */
const MAX_LENGTH = 50_000

const SAMPLE_MS = 20

export function startMeasuredRelay(
  urls: { readonly postgres: string; readonly redis: string },
  onSample: (sample: RelaySample) => void,
): MeasuredRelay {
  const child = fork(__filename, [urls.postgres, urls.redis])
  child.on("message", (sample) => onSample(sample as RelaySample))
  const ended = new Promise<void>((resolve, reject) => {
    child.on("exit", (code) => (code === 0 ? resolve() : reject(new Error(`the relay's process ended with ${code}`))))
  })
  ended.catch(() => undefined)
  return {
    stop: () => {
      child.send("stop")
      return ended
    },
  }
}

async function main(postgres: string, redis: string): Promise<void> {
  const changes = changeEvents({
    delivery: "outbox",
    brokers: { redis: redisStreamBroker({ url: redis, stream: STREAM, maxLength: MAX_LENGTH }) },
  })
  const dataSource = new DataSource({ ...fixtureOptions, url: postgres, subscribers: [changes.subscriber] })
  await dataSource.initialize()
  const began = performance.now()
  const relay = await changes.startRelay()
  const timer = setInterval(() => {
    const delivered = relay.status().cursors.reduce((sum, cursor) => sum + cursor.delivered, 0)
    process.send?.({ atMs: performance.now() - began, delivered, rssMb: process.memoryUsage().rss / 1e6 })
  }, SAMPLE_MS)
  process.once("message", () => {
    clearInterval(timer)
    void changes
      .close()
      .then(() => dataSource.destroy())
      .then(() => process.disconnect())
  })
}

if (require.main === module) void main(process.argv[2] as string, process.argv[3] as string)
