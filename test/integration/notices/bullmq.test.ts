import { on } from "node:events"
import type { Job, Worker } from "bullmq"
import { loadDataset } from "../../../fixtures/dataset"
import { deviceQueue, deviceWorker, type RetireDevice } from "../../../examples/bullmq/device-jobs"
import { startRedisServer, type RedisServer } from "../../servers/redis-server"
import { captureDatabase, type CapturedDatabase } from "../../support/captured-database"

describe("the BullMQ example", () => {
  let redis: RedisServer
  let captured: CapturedDatabase
  let queue: ReturnType<typeof deviceQueue>
  let worker: Worker<RetireDevice, number>

  beforeAll(async () => {
    redis = await startRedisServer({ flags: ["--maxmemory-policy", "noeviction"] })
    captured = await captureDatabase(18, { changes: { topicPrefix: "inventory" } })
    await loadDataset(captured.dataSource.manager)
    queue = deviceQueue({ url: redis.url })
    worker = deviceWorker({ url: redis.url }, captured.changes, captured.dataSource)
    await Promise.all([queue.waitUntilReady(), worker.waitUntilReady()])
  })
  afterAll(async () => {
    await worker.close()
    await queue.close()
    await captured.close()
    await redis.remove()
  })
  beforeEach(() => captured.messages())

  async function run(device: string, outcome: "completed" | "failed", attempts = 1): Promise<string | undefined> {
    const endings = on(worker, outcome)
    const { id } = await queue.add("retire device", { device, userName: "alice" }, { attempts })
    for await (const [job] of endings) if ((job as Job).attemptsMade === attempts) break
    return id
  }

  async function sent(): Promise<readonly { topic: string; body: Record<string, unknown> }[]> {
    const messages = await captured.messages()
    return messages.map(({ topic, body }) => ({ topic, body: JSON.parse(body) as Record<string, unknown> }))
  }

  it("tells a job's start, its changes with its context, and its end", async () => {
    const id = await run("rt1", "completed")

    const told = { job_result_id: id, job_name: "retire device", user_name: "alice", job_kwargs: { device: "rt1" } }
    expect(await sent()).toMatchObject([
      { topic: "inventory.jobs.job.started", body: told },
      {
        topic: "inventory.update.dcim.device",
        body: {
          context: {
            user_name: "alice",
            change_context: "Job",
            change_context_detail: "retire device",
            job_result_id: id,
          },
          differences: { added: { status: "retired" } },
        },
      },
      {
        topic: "inventory.jobs.job.completed",
        body: { ...told, job_output: 1, einfo: null, status: "success", duration_ms: expect.any(Number) },
      },
    ])
  })

  it("tells each attempt of a job that fails, and BullMQ gets the error", async () => {
    const id = await run("nowhere", "failed", 2)

    const einfo = { exc_type: "Error", exc_message: "there is no device nowhere" }
    const attempt = [
      { topic: "inventory.jobs.job.started", body: { job_result_id: id } },
      { topic: "inventory.jobs.job.completed", body: { job_result_id: id, einfo, status: "failure" } },
    ]
    expect(await sent()).toMatchObject([...attempt, ...attempt])
    expect((await queue.getJob(id ?? ""))?.failedReason).toBe("there is no device nowhere")
  })
})
