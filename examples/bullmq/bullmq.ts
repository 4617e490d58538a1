import "reflect-metadata"
import { QueueEvents } from "bullmq"
import { dataSource } from "../../ormconfig"
import { changeEvents } from "../../src"
import { consoleBroker } from "../../src/brokers/console"
import { deviceQueue, deviceWorker } from "./device-jobs"

// DATABASE_URL names a database of the fixture domain, REDIS_URL a Redis: npx tsx examples/bullmq/bullmq.ts rt1
async function main(device: string): Promise<void> {
  const connection = { url: process.env["REDIS_URL"] ?? "redis://localhost:6379" }
  const changes = changeEvents({ topicPrefix: "inventory", brokers: { console: consoleBroker() } })
  changes.attach(dataSource)
  await dataSource.initialize()
  const [queue, worker] = [deviceQueue(connection), deviceWorker(connection, changes, dataSource)]
  const queueEvents = new QueueEvents(queue.name, { connection })
  const job = await queue.add("retire device", { device, userName: "alice" })
  await job.waitUntilFinished(queueEvents).catch(() => (process.exitCode = 1))
  await Promise.all([worker.close(), queue.close(), queueEvents.close()])
  await changes.close()
  await dataSource.destroy()
}

void main(process.argv[2] ?? "rt1")
