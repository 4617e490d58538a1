import vectors from "../../../fixtures/vectors/users-approvals.json"
import { datasetKeys, loadDataset } from "../../../fixtures/dataset"
import { Project } from "../../../fixtures/identity/project"
import { Trust } from "../../../fixtures/identity/trust"
import { Device } from "../../../fixtures/inventory/device"
import { Job } from "../../../fixtures/inventory/job"
import { ScheduledJob } from "../../../fixtures/inventory/scheduled-job"
import { User } from "../../../fixtures/inventory/user"
import type { ChangeEventsOptions } from "../../../src"
import { describeOnEveryPostgres } from "../../servers/test-database"
import { captureDatabase, type CapturedDatabase } from "../../support/captured-database"

const decisions = ["approved", "denied", "canceled"] as const

const entities: ChangeEventsOptions["entities"] = [
  Job,
  Device,
  {
    entity: ScheduledJob,
    display: (row) => `${String(row["name"])}: ${String(row["crontab"])}`,
    url: (row) => `/api/scheduled-jobs/${String(row["id"])}/`,
  },
  { entity: User, display: (row) => String(row["username"]), url: (row) => `/api/users/${String(row["id"])}/` },
  { entity: Project, url: (row) => `/api/projects/${String(row["id"])}/` },
]

describeOnEveryPostgres((version) => {
  let captured: CapturedDatabase

  beforeAll(async () => {
    captured = await captureDatabase(version, { changes: { topicPrefix: "nautobot", entities } })
    await loadDataset(captured.dataSource.manager)
  })
  afterAll(() => captured.close())
  beforeEach(() => captured.messages())

  interface Sent {
    readonly topic: string
    readonly key: string
    readonly data: Readonly<Record<string, unknown>>
  }

  async function sent(): Promise<readonly Sent[]> {
    const messages = await captured.messages()
    return messages.map(({ topic, key, body }) => ({ topic, key, ...(JSON.parse(body) as { data: Sent["data"] }) }))
  }

  const job = (relations: { user?: boolean } = {}): Promise<ScheduledJob> =>
    captured.dataSource.manager.findOneOrFail(ScheduledJob, { where: { id: datasetKeys.jobs.nightlySync }, relations })

  describe.each(decisions)("nautobot.jobs.approval.%s", (decision) => {
    it("tells the scheduled job, and the user it runs for one level down, as the seed's sample does", async () => {
      const scheduled = await job({ user: true })
      await captured.changes.approvals[decision](scheduled)

      const { jobs, users } = datasetKeys
      expect(await sent()).toEqual([
        {
          topic: `nautobot.jobs.approval.${decision}`,
          key: `extras.scheduledjob:${jobs.nightlySync}`,
          data: {
            id: jobs.nightlySync,
            object_type: "extras.scheduledjob",
            display: "nightly sync: 0 3 * * *",
            url: `/api/scheduled-jobs/${jobs.nightlySync}/`,
            name: "nightly sync",
            enabled: true,
            crontab: "0 3 * * *",
            startTime: "2026-01-05T08:00:00.000Z",
            keywordArguments: { site: "ber1", dryRun: false },
            totalRunCount: scheduled.totalRunCount,
            approvedAt: null,
            user: expect.objectContaining({
              id: users.alice,
              object_type: "users.user",
              display: "alice",
              url: `/api/users/${users.alice}/`,
              username: "alice",
            }),
          },
        },
      ])
    })

    it("passes the vector of its topic: the record as it is after the save", async () => {
      const vector = vectors.find(({ input }) => input.decision === decision)
      const { state, enabled } = vector?.expected.payload.data as { state: string; enabled: boolean }
      const record = { id: "5c09a476", object_type: "extras.scheduledjob", state, enabled, decision_date: new Date(0) }
      await captured.changes.approvals[decision](record)

      expect(await sent()).toEqual([
        {
          topic: vector?.expected.topic,
          key: "extras.scheduledjob:5c09a476",
          data: { ...record, decision_date: "1970-01-01T00:00:00.000Z" },
        },
      ])
    })

    it("leaves with the transaction that saves the decision, after its change", async () => {
      await captured.dataSource.transaction(async (manager) => {
        const scheduled = await job()
        scheduled.totalRunCount += 1
        await manager.save(scheduled)
        await captured.changes.approvals[decision](scheduled, { manager })
        expect(await sent()).toEqual([])
      })

      const topics = (await sent()).map(({ topic }) => topic)
      expect(topics).toEqual(["nautobot.update.extras.scheduledjob", `nautobot.jobs.approval.${decision}`])
    })

    it("refuses a record without a key", async () => {
      await expect(captured.changes.approvals[decision]({ name: "x" })).rejects.toMatchObject({
        code: "RECORD_INVALID",
      })
      await expect(captured.changes.approvals[decision](new ScheduledJob())).rejects.toMatchObject({
        code: "RECORD_INVALID",
        details: { missing: ["id"] },
      })
    })
  })

  it("leaves out a relation that was not loaded, and loads none", async () => {
    await captured.changes.approvals.approved(await job())

    expect((await sent())[0]?.data).not.toHaveProperty("user")
  })

  it("shows a row two levels down by its key and where it is found, and lists one by one", async () => {
    const trust = await captured.dataSource.manager.findOneOrFail(Trust, {
      where: { id: datasetKeys.trusts.aliceToBob },
      relations: { trustor: true, project: { parent: true }, roles: true },
    })
    const { billing, platform } = datasetKeys.projects
    trust.project = await captured.dataSource.manager.findOneOrFail(Project, {
      where: { id: billing },
      relations: { parent: true },
    })
    await captured.changes.approvals.approved(trust)

    const data = (await sent())[0]?.data
    expect(data).toMatchObject({
      trustorUserId: datasetKeys.users.alice,
      trustor: { id: datasetKeys.users.alice, display: "alice" },
      project: {
        id: billing,
        name: "billing",
        parent: { id: platform, object_type: "identity.project", url: `/api/projects/${platform}/` },
      },
    })
    expect(Object.keys((data?.["project"] as { parent: object }).parent)).toEqual(["id", "object_type", "url"])
    expect(data?.["roles"]).toEqual(trust.roles.map(({ id, name }) => expect.objectContaining({ id, name })))
  })

  it("shows a relation of which only the key is there as that key, and one that points nowhere as null", async () => {
    const scheduled = Object.assign(new Device(), {
      id: 7,
      name: "sw1",
      site: { id: 1 },
      primaryAddress: null,
      tags: [],
    })
    await captured.changes.approvals.approved(scheduled)

    expect((await sent())[0]?.data).toEqual({
      id: 7,
      object_type: "dcim.device",
      name: "sw1",
      site: 1,
      primaryAddress: null,
      tags: [],
    })
  })

  it("shows the attributes that an image of the same row has, by the same rules", async () => {
    const device = await captured.dataSource.manager.findOneOrFail(Device, {
      where: { id: datasetKeys.devices.router },
      loadRelationIds: { relations: ["site", "primaryAddress"] },
    })
    await captured.changes.approvals.approved(device)
    await captured.dataSource.manager.delete(Device, { id: device.id })

    const messages = await captured.messages()
    const [approved, deleted] = messages.map(({ body }) => JSON.parse(body) as Record<string, object>)
    // What it lists is no attribute of its row.
    const { tags: _tags, ...row } = deleted?.["prechange"] as Record<string, unknown>
    expect(approved?.["data"]).toEqual({ object_type: "dcim.device", ...row })
  })
})
