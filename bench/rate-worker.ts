// Run as a process of its own, so that each way has a core: `rate-worker.js <role> <postgres url> <redis url>`.
import "reflect-metadata"
import { Redis } from "ioredis"
import { Client } from "pg"
import { DataSource } from "typeorm"
import { fixtureOptions } from "../fixtures/fixture-options"
import { changeEvents, type EventBroker } from "../src"
import { redisBroker } from "../src/brokers/redis"
import { redisStreamBroker } from "../src/brokers/redis-stream"
import type { EventMessage } from "../src/events/message"
import { serve, type WorkerTask } from "./worker"

/** How events come to Redis: by the client alone, by a relay, or row by row. */
export type RateRole = "raw XADD" | "raw PUBLISH" | "relay XADD" | "relay PUBLISH" | "row by row"

/** Send so many. Raw ones send this message again and again. */
export interface RateRequest {
  readonly count: number
  readonly message: Pick<EventMessage, "id" | "topic" | "key" | "body">
}

type RateTask = WorkerTask<RateRequest, "done">

const BATCH = 1_000
const STREAM = "bench"
const MAX_LENGTH = 50_000

/** What the pipelines of ioredis can do, with as many fields as `redisStreamBroker` sends. */
function raw(redisUrl: string, command: "XADD" | "PUBLISH"): RateTask {
  const redis = new Redis(redisUrl)
  return {
    async answer({ count, message }) {
      for (let sent = 0; sent < count; sent += BATCH) {
        const pipeline = redis.pipeline()
        for (let at = 0; at < BATCH; at++) {
          if (command === "XADD") pipeline.xadd(STREAM, "MAXLEN", "~", MAX_LENGTH, "*", ...fields(message))
          else pipeline.publish(message.topic, message.body)
        }
        for (const [error] of (await pipeline.exec()) ?? []) if (error) throw error
      }
      return "done"
    },
    close: async () => redis.disconnect(),
  }
}

function fields({ id, topic, key, body }: RateRequest["message"]): string[] {
  return [
    ...["id", id, "topic", topic, "key", key, "occurred_at", "2026-01-01T00:00:00.000Z"],
    ...["content_type", "application/json", "headers", "{}", "body", body],
  ]
}

/** Answers when the broker has taken so many more. */
async function relay(postgresUrl: string, broker: Required<EventBroker>): Promise<RateTask> {
  let missing = 0
  let tell: () => void = () => undefined
  const counting: EventBroker = {
    ...broker,
    publishBatch: async (messages) => {
      const results = await broker.publishBatch(messages)
      missing -= results.filter(({ accepted }) => accepted).length
      if (missing <= 0) tell()
      return results
    },
  }
  const changes = changeEvents({ delivery: "outbox", brokers: { redis: counting } })
  const dataSource = new DataSource({ ...fixtureOptions, url: postgresUrl, subscribers: [changes.subscriber] })
  await dataSource.initialize()
  await changes.startRelay()
  return {
    answer: ({ count }) => {
      missing = count
      return new Promise((resolve) => (tell = () => resolve("done")))
    },
    close: async () => {
      await changes.close()
      await dataSource.destroy()
    },
  }
}

/** As people write it: the oldest row, its message, its end. */
async function rowByRow(postgresUrl: string, redisUrl: string): Promise<RateTask> {
  const redis = new Redis(redisUrl)
  const client = new Client(postgresUrl)
  await client.connect()
  return {
    async answer({ count }) {
      for (let sent = 0; sent < count; sent++) {
        const { rows } = await client.query(
          "SELECT id, event_id, topic, key, body FROM bench_outbox ORDER BY id LIMIT 1",
        )
        const { id, event_id, topic, key, body } = rows[0] as Record<string, string>
        await redis.xadd(STREAM, "MAXLEN", "~", MAX_LENGTH, "*", ...fields({ id: event_id, topic, key, body } as never))
        await client.query("DELETE FROM bench_outbox WHERE id = $1", [id])
      }
      return "done"
    },
    close: async () => {
      redis.disconnect()
      await client.end()
    },
  }
}

async function main([role, postgres, redis]: readonly string[]): Promise<void> {
  const [url, postgresUrl] = [redis as string, postgres as string]
  const tasks: Record<RateRole, () => RateTask | Promise<RateTask>> = {
    "raw XADD": () => raw(url, "XADD"),
    "raw PUBLISH": () => raw(url, "PUBLISH"),
    "relay XADD": () => relay(postgresUrl, redisStreamBroker({ url, stream: STREAM, maxLength: MAX_LENGTH })),
    "relay PUBLISH": () => relay(postgresUrl, redisBroker({ url })),
    "row by row": () => rowByRow(postgresUrl, url),
  }
  serve(await tasks[role as RateRole]())
}

if (require.main === module) void main(process.argv.slice(2))
