import { currentChangeContext, withChangeContext, type EventContext, type Job } from "../../../src"
import { completed, jobChanges, started } from "./support/job-changes"

const { changes, sent, clear } = jobChanges()

beforeEach(() => clear())
afterAll(() => changes.close())

describe("the context of a job", () => {
  const contextIn = (job: Job): Promise<EventContext | undefined> =>
    changes.jobs.run(job, async () => {
      await Promise.resolve()
      return currentChangeContext()
    })

  it("is of the kind Job, with its name, its user and the id of the run", async () => {
    expect(await contextIn({ id: 41, name: "sync", userName: "alice" })).toMatchObject({
      changeContext: "Job",
      changeContextDetail: "sync",
      userName: "alice",
      jobResultId: "41",
    })
    expect(currentChangeContext()).toBeUndefined()
  })

  it("goes on for the user of the request that runs it, unless told otherwise", async () => {
    await withChangeContext({ userName: "alice", changeContext: "Web" }, async () => {
      expect(await contextIn({ name: "sync" })).toMatchObject({ userName: "alice", changeContext: "Job" })
      expect(await contextIn({ name: "sync", userName: null })).toMatchObject({ userName: null })
    })

    expect((await sent()).map(({ payload }) => payload["user_name"])).toEqual(["alice", "alice", null, null])
  })
})

describe("a job hook", () => {
  const hook = { name: "notify billing" }

  it("runs in a context of the kind Job hook, for the user of its event", async () => {
    const event = { context: { userName: "alice", changeContext: "Web" } }
    const context = await changes.jobs.runHook({ ...hook, event }, () => currentChangeContext())

    expect(context).toMatchObject({
      changeContext: "Job hook",
      changeContextDetail: "notify billing",
      userName: "alice",
    })
    expect((await sent()).map(({ topic }) => topic)).toEqual([started, completed])
  })

  it.each([
    ["an event in this process", { context: { changeContext: "Job hook" } }],
    ["the body of a message", { context: { change_context: "Job hook" } }],
  ])("is skipped for what a hook changed: %s", async (_, event) => {
    let ran = false

    expect(await changes.jobs.runHook({ ...hook, event }, () => (ran = true))).toBeUndefined()
    expect(ran).toBe(false)
    expect(await sent()).toEqual([])
  })

  it("is skipped inside another, and what a hook runs is of its kind", async () => {
    const inner = await changes.jobs.runHook(hook, async () => [
      await changes.jobs.runHook(hook, () => "ran"),
      await changes.jobs.run({ name: "sync" }, () => currentChangeContext()?.changeContext),
    ])

    expect(inner).toEqual([undefined, "Job hook"])
  })
})

describe("bad input", () => {
  it.each<[string, unknown, RegExp]>([
    ["none", undefined, /an object with a `name`/],
    ["a job without a name", { kwargs: {} }, /`name`/],
    ["a mistyped `sensitive`", { name: "sync", sensitve: true }, /did you mean `sensitive`/],
    ["a `sensitive` that is a text", { name: "sync", sensitive: "true" }, /`sensitive` must be true or false/],
    ["an id that is none", { name: "sync", id: {} }, /`id`/],
    ["a user that is no name", { name: "sync", userName: 7 }, /`userName`/],
  ])("is %s, and nothing runs", async (_, job, message) => {
    let ran = false
    const running = changes.jobs.run(job as never, () => (ran = true))

    await expect(running).rejects.toMatchObject({ code: "OPTIONS_INVALID", message: expect.stringMatching(message) })
    expect(ran).toBe(false)
    expect(await sent()).toEqual([])
  })

  it.each<[string, () => Promise<unknown>]>([
    ["work that is no function", () => changes.jobs.run({ name: "sync" }, 7 as never)],
    ["a manager that is none", () => changes.jobs.run({ name: "sync" }, () => 1, { manager: {} as never })],
    ["an event that is none", () => changes.jobs.runHook({ name: "hook", event: 7 as never }, () => 1)],
    ["a start without an id", () => changes.jobs.started({ name: "sync" } as never)],
    ["an end without an id", () => changes.jobs.completed({ name: "sync" } as never)],
    ["an outcome that is none", () => changes.jobs.completed({ name: "sync", id: 1 }, 7 as never)],
    ["a status that is none", () => changes.jobs.completed({ name: "sync", id: 1 }, { status: "ok" as never })],
    ["a duration that is none", () => changes.jobs.completed({ name: "sync", id: 1 }, { durationMs: NaN })],
  ])("is %s", async (_, call) => {
    await expect(call()).rejects.toMatchObject({ code: "OPTIONS_INVALID" })
    expect(await sent()).toEqual([])
  })
})
