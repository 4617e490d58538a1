import type { DataSource } from "typeorm"
import { datasetKeys } from "../../../../fixtures/dataset"
import { Job } from "../../../../fixtures/inventory/job"
import { JobHook } from "../../../../fixtures/inventory/job-hook"
import { ScheduledJob } from "../../../../fixtures/inventory/scheduled-job"
import { User } from "../../../../fixtures/inventory/user"
import { describeWrites, type WriteCase } from "../../../support/describe-writes"

async function newJobs({ manager, unique, begin }: WriteCase): Promise<readonly [ScheduledJob, JobHook]> {
  const scheduled = await manager.save(manager.create(ScheduledJob, { name: unique("job"), crontab: "@daily" }))
  const hook = await manager.save(manager.create(JobHook, { name: unique("hook"), contentTypes: ["a", "b"] }))
  await begin()
  return [scheduled, hook]
}

describeWrites((itTells) => {
  describe("an entity of a single-table inheritance", () => {
    itTells(
      "is told by its own name and columns when its instance is saved",
      ["create scheduledjob", "create jobhook"],
      async (run) => {
        await newJobs({ ...run, begin: () => Promise.resolve() })
      },
    )

    itTells(
      "is told by its own name when it is saved as a plain object",
      ["create jobhook", "update jobhook"],
      async ({ manager, unique }) => {
        const { id } = await manager.save(JobHook, { name: unique("hook") })
        await manager.save(JobHook, { id, contentTypes: ["dcim.site"] })
      },
    )

    itTells("is told by its own name when it is inserted", ["create scheduledjob"], ({ manager, unique }) =>
      manager.insert(ScheduledJob, { name: unique("job"), keywordArguments: { a: 1 } }),
    )

    itTells("is told by its own name when a child's criteria match", ["update scheduledjob"], async (run) => {
      const [{ name }] = await newJobs(run)
      await run.manager.update(ScheduledJob, { name }, { totalRunCount: 7 })
      await run.manager.update(JobHook, { name }, { contentTypes: null })
    })

    itTells(
      "is told by its own name when the root's criteria match",
      ["update scheduledjob", "update jobhook"],
      async (run) => {
        const jobs = await newJobs(run)
        await run.manager.update(
          Job,
          jobs.map(({ id }) => id),
          { enabled: false },
        )
      },
    )

    itTells(
      "is told by its own name when it is deleted through the root",
      ["delete scheduledjob", "delete jobhook"],
      async (run) => {
        const jobs = await newJobs(run)
        await run.manager.delete(
          Job,
          jobs.map(({ id }) => id),
        )
      },
    )

    itTells("is told by its own name when it is removed", ["delete jobhook", "delete scheduledjob"], async (run) => {
      const [scheduled, hook] = await newJobs(run)
      await run.manager.remove(hook)
      await run.manager.delete(ScheduledJob, scheduled.id)
    })

    itTells(
      "is told by its own name when it is loaded through the root and saved",
      ["update scheduledjob"],
      async (run) => {
        const [{ id }] = await newJobs(run)
        const job = await run.manager.findOneByOrFail(Job, { id })
        job.enabled = false
        await run.manager.save(job)
      },
    )

    itTells(
      "is told by its own name when it is upserted",
      ["create jobhook", "update jobhook"],
      async ({ manager, unique }) => {
        await manager.upsert(JobHook, { name: unique("hook") }, ["name"])
        await manager.upsert(JobHook, { name: unique("hook"), contentTypes: ["x"] }, ["name"])
      },
    )
  })

  describe("a lazy relation", () => {
    itTells(
      "is told as the key it points to",
      ["create scheduledjob", "update scheduledjob", "update scheduledjob"],
      async (run) => {
        const { alice, bob } = datasetKeys.users
        const job = run.manager.create(ScheduledJob, { name: run.unique("job") })
        job.user = Promise.resolve(await run.manager.findOneByOrFail(User, { id: alice }))
        await run.manager.save(job)
        const relation = () => run.manager.createQueryBuilder().relation(ScheduledJob, "user").of(job.id)
        await relation().set(bob)
        await relation().set(null)
      },
    )

    itTells("that nobody asked for is not loaded", ["update scheduledjob"], async (run) => {
      const [{ id }] = await newJobs(run)
      await run.manager.createQueryBuilder().relation(ScheduledJob, "user").of(id).set(datasetKeys.users.alice)
      const job = await run.manager.findOneByOrFail(ScheduledJob, { id })
      await run.begin()
      job.crontab = run.unique("cron")

      const statements = await statementsOf(run.dataSource, () => run.manager.save(job))

      expect(statements.map((text) => text.split(" ")[0])).toEqual(["SELECT", "START", "UPDATE", "COMMIT"])
    })
  })
})

/** The statements that TypeORM sent while the work ran. */
async function statementsOf(dataSource: DataSource, work: () => Promise<unknown>): Promise<string[]> {
  const statements: string[] = []
  const subscriber = { beforeQuery: ({ query }: { query: string }) => void statements.push(query) }
  dataSource.subscribers.push(subscriber)
  try {
    await work()
    return statements
  } finally {
    dataSource.subscribers.splice(dataSource.subscribers.indexOf(subscriber), 1)
  }
}
