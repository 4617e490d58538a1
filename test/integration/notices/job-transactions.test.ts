import { Tag } from "../../../fixtures/inventory/tag"
import { describeOnEveryPostgres } from "../../servers/test-database"
import { captureDatabase, type CapturedDatabase } from "../../support/captured-database"

describeOnEveryPostgres((version) => {
  let captured: CapturedDatabase

  beforeAll(async () => {
    captured = await captureDatabase(version)
  })
  afterAll(() => captured.close())
  beforeEach(() => captured.messages())

  const topics = async (): Promise<readonly string[]> => (await captured.messages()).map(({ topic }) => topic)

  it("tells a job whose work is rolled back as failed, and none of its changes", async () => {
    const running = captured.changes.jobs.run({ name: "sync" }, () =>
      captured.dataSource.transaction(async (manager) => {
        await manager.insert(Tag, { name: "twice" })
        await manager.insert(Tag, { name: "twice" })
      }),
    )

    await expect(running).rejects.toThrow("duplicate key")
    const messages = await captured.messages()
    expect(messages.map(({ topic }) => topic)).toEqual(["jobs.job.started", "jobs.job.completed"])
    expect(JSON.parse(messages[1]?.body ?? "")).toMatchObject({
      status: "failure",
      einfo: { exc_type: "QueryFailedError", exc_message: expect.stringContaining("duplicate key") },
    })
  })

  it("keeps both events for the transaction of `manager`", async () => {
    await captured.dataSource.transaction(async (manager) => {
      await captured.changes.jobs.run({ name: "sync" }, () => manager.insert(Tag, { name: "one" }), { manager })
      expect(await topics()).toEqual([])
    })
    expect(await topics()).toEqual(["jobs.job.started", "create.extras.tag", "jobs.job.completed"])

    const work = captured.dataSource.transaction((manager) =>
      captured.changes.jobs.run({ name: "sync" }, () => Promise.reject(new Error("no")), { manager }),
    )
    await expect(work).rejects.toThrow("no")
    expect(await topics()).toEqual([])
  })

  it("gives what the work gives, and reports, when its end cannot be told", async () => {
    const runner = captured.dataSource.createQueryRunner()
    const work = async (): Promise<string> => {
      await runner.release()
      return "done"
    }

    expect(await captured.changes.jobs.run({ name: "sync" }, work, { manager: runner.manager })).toBe("done")
    expect(await topics()).toEqual(["jobs.job.started"])
    expect(captured.logged.join()).toContain("the end of the job sync could not be told")
  })
})
