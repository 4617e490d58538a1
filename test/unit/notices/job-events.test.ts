import vectors from "../../../fixtures/vectors/jobs.json"
import type { Job, JobWork } from "../../../src"
import { completed, jobChanges, started, type SentEvent } from "./support/job-changes"

const { changes, sent, clear, logged } = jobChanges()

async function endOf(work: JobWork<unknown>, job: Job = { name: "sync" }): Promise<SentEvent["payload"]> {
  await changes.jobs.run(job, work).catch(() => undefined)
  return (await sent()).at(-1)?.payload ?? {}
}

function fail(thrown: unknown): never {
  throw thrown
}

beforeEach(() => clear())
afterAll(() => changes.close())

describe("the vectors of job events", () => {
  class ValueError extends Error {}

  const works: Readonly<Record<string, JobWork<unknown>>> = {
    success: () => ({ rows: 3 }),
    "no kwargs": () => ({ rows: 3 }),
    "sensitive variables": () => ({ rows: 3 }),
    "exception with a credential in its text": () =>
      fail(new ValueError("cannot reach https://alice:hunter2@example.com/x")),
    "job.fail()": (run) => {
      run.fail()
      return { partial: 1 }
    },
  }

  /** What the design adds to the seed's payload, and what it hides: see each test's name. */
  const additions: Readonly<Record<string, object>> = {
    success: { einfo: null, status: "success" },
    "no kwargs": { einfo: null, status: "success" },
    "sensitive variables": { einfo: null, status: "success", job_output: undefined },
    "exception with a credential in its text": { status: "failure" },
    "job.fail()": { einfo: null, status: "failure" },
  }

  const rules: Readonly<Record<string, string>> = {
    success: "with einfo null, status and duration",
    "no kwargs": "with einfo null, status and duration",
    "sensitive variables": "but for the output, which a sensitive job hides as it does its arguments",
    "exception with a credential in its text": "with the traceback that the seed document describes, and a status",
    "job.fail()": "with the status that tells it from a success",
  }

  it.each(vectors.map((vector) => [vector.id, vector.description, rules[vector.description], vector] as const))(
    "%s (%s) passes, %s",
    async (_, description, __, { input, expected }) => {
      const [begun, ended] = expected.events
      const id = begun?.payload.job_result_id
      const sensitive = description === "sensitive variables"
      const job = { id, name: input.job, kwargs: input.kwargs, userName: input.user, sensitive }
      await changes.jobs.run(job, works[description] as JobWork<unknown>).catch(() => undefined)

      const messages = await sent()
      const payload = { ...ended?.payload, ...additions[description], duration_ms: expect.any(Number) }
      expect(messages[0]).toEqual({ ...begun, key: `jobs.job:${id}` })
      expect(messages[1]?.topic).toBe(ended?.topic)
      expect(messages[1]?.payload).toMatchObject(
        Object.fromEntries(Object.entries(payload).filter(([, value]) => value !== undefined)),
      )
      expect("job_output" in (messages[1]?.payload ?? {})).toBe(
        "job_output" in payload && payload.job_output !== undefined,
      )
    },
  )
})

describe(started, () => {
  it("has the documented keys, in their order, and no other", async () => {
    await changes.jobs.run({ id: 7, name: "sync", kwargs: { site: "ber1" }, userName: "alice" }, () => 1)

    const [message] = await sent()
    expect(message?.topic).toBe(started)
    expect(Object.entries(message?.payload ?? {})).toEqual([
      ["job_result_id", "7"],
      ["job_name", "sync"],
      ["user_name", "alice"],
      ["job_kwargs", { site: "ber1" }],
    ])
  })

  it("is told before the work begins", async () => {
    let seen: readonly SentEvent[] = []
    await changes.jobs.run({ name: "sync" }, async () => {
      seen = await sent()
    })

    expect(seen.map(({ topic }) => topic)).toEqual([started])
  })

  it("makes an id of its own, and nobody its user", async () => {
    let id = ""
    await changes.jobs.run({ name: "sync" }, (run) => void (id = run.id))

    expect(id).toMatch(/^[0-9a-f-]{36}$/)
    expect((await sent()).map(({ payload }) => [payload["job_result_id"], payload["user_name"]])).toEqual([
      [id, null],
      [id, null],
    ])
  })

  it("can be told by a queue's worker", async () => {
    await changes.jobs.started({ id: "41", name: "sync", kwargs: { password: "x" } })

    expect(await sent()).toEqual([
      {
        topic: started,
        key: "jobs.job:41",
        payload: { job_result_id: "41", job_name: "sync", user_name: null, job_kwargs: { password: "***" } },
      },
    ])
  })
})

describe(completed, () => {
  it("has the documented keys, status and duration, in their order", async () => {
    const payload = await endOf(() => ({ rows: 3 }), { id: "41", name: "sync", kwargs: {} })

    expect(Object.keys(payload)).toEqual(
      "job_result_id job_name user_name job_kwargs job_output einfo status duration_ms".split(" "),
    )
    expect(payload["duration_ms"]).toEqual(expect.any(Number))
  })

  it("has the key of its start, so that brokers that partition keep their order", async () => {
    await changes.jobs.run({ id: "41", name: "sync" }, () => 1)

    expect((await sent()).map(({ key }) => key)).toEqual(["jobs.job:41", "jobs.job:41"])
  })

  it("tells the arguments as they were at the start", async () => {
    const kwargs = { site: "ber1" }

    expect(await endOf(() => void (kwargs.site = "lis1"), { name: "sync", kwargs })).toMatchObject({
      job_kwargs: { site: "ber1" },
    })
  })

  it.each<[string, () => unknown, object]>([
    ["an error", () => fail(new TypeError("no such device")), { exc_type: "TypeError", exc_message: "no such device" }],
    [
      "an error whose class has no name of its own",
      () => fail(new (class QuotaError extends Error {})("over")),
      { exc_type: "QuotaError", exc_message: "over" },
    ],
    ["a text", () => fail("broken, token=hunter2"), { exc_type: "string", exc_message: "broken, token=(redacted)" }],
    ["nothing", () => fail(undefined), { exc_type: "undefined", exc_message: "undefined" }],
    ["null", () => fail(null), { exc_type: "null", exc_message: "null" }],
    [
      "an object",
      () => fail({ code: 7, apiKey: "hunter2" }),
      { exc_type: "Object", exc_message: '{"code":7,"apiKey":(redacted)}' },
    ],
    ["an object that holds itself", () => fail(circular()), { exc_type: "object", exc_message: "[Unreadable]" }],
    ["a rejection", () => Promise.reject(new RangeError("far")), { exc_type: "RangeError", exc_message: "far" }],
  ])("tells a job that throws %s as a failure, without its secrets", async (_, work, einfo) => {
    const payload = await endOf(work)

    expect(payload).toMatchObject({ status: "failure", einfo })
    expect(payload).not.toHaveProperty("job_output")
    expect(JSON.stringify(payload)).not.toContain("hunter2")
  })

  it("has the traceback of an error, without its secrets", async () => {
    const payload = await endOf(() => fail(new Error("postgres://app:hunter2@db/main is down")))

    const { traceback } = payload["einfo"] as { traceback: string }
    expect(traceback).toContain("postgres://(redacted)@db/main is down")
    expect(traceback).toContain("job-events.test.ts")
    expect(traceback).not.toContain("hunter2")
  })

  function circular(): object {
    const loop: Record<string, unknown> = { name: "loop" }
    loop["self"] = loop
    return loop
  }

  it.each<[string, unknown, unknown]>([
    ["nothing", undefined, null],
    ["a bigint", { n: 12n }, { n: "12" }],
    ["a cycle", circular(), { name: "loop", self: "[Circular]" }],
    ["a function", { run: () => 1, tags: [Symbol("a")] }, { run: "[Function]", tags: ["[Symbol]"] }],
    ["what throws when it is read", { toJSON: () => fail(new Error("no")) }, "[Unserializable]"],
    [
      "what throws at a property",
      Object.defineProperty({}, "x", { enumerable: true, get: () => fail(1) }),
      "[Unserializable]",
    ],
    ["a list of a million", new Array(1_000_000).fill(0), "[Too large]"],
    ["NaN, a map and a date", [NaN, new Map([["a", new Date(0)]])], ["NaN", { a: "1970-01-01T00:00:00.000Z" }]],
    ["a secret", { password: "hunter2" }, { password: "***" }],
  ])("tells a job that gives %s with what JSON can hold, and the job gets it back", async (_, output, told) => {
    const given = await changes.jobs.run({ name: "sync" }, () => output)

    expect(given).toBe(output)
    expect((await sent()).at(-1)?.payload).toMatchObject({ job_output: told, einfo: null, status: "success" })
    expect(logged).toEqual([])
  })

  it("hides arguments, output and error text of a sensitive job", async () => {
    const job = { name: "rotate", kwargs: { pin: "hunter2" }, sensitive: true }
    const success = await endOf(() => "hunter2", job)
    const failure = await endOf(() => fail(new TypeError("hunter2")), job)

    expect(JSON.stringify(await sent())).not.toContain("hunter2")
    expect(success).toMatchObject({ einfo: null, status: "success" })
    expect(failure).toMatchObject({ einfo: { exc_type: "TypeError", exc_message: "(redacted)" }, status: "failure" })
    for (const payload of [success, failure]) expect(Object.keys(payload)).not.toContain("job_kwargs")
  })

  it.each([new Error("mine"), "text", undefined])("leaves the job's error as it is: %p", async (thrown) => {
    const outcome = await changes.jobs
      .run({ name: "sync" }, () => fail(thrown))
      .then(
        () => "resolved",
        (error: unknown) => ({ error }),
      )

    expect(outcome).toEqual({ error: thrown })
    expect((outcome as { error: unknown }).error).toBe(thrown)
  })

  it.each([
    [undefined, { job_output: null, einfo: null, status: "success", duration_ms: null }],
    [
      { output: 3, durationMs: 12.4 },
      { job_output: 3, einfo: null, status: "success", duration_ms: 12 },
    ],
    [
      { output: 3, status: "failure" as const },
      { job_output: 3, einfo: null, status: "failure" },
    ],
    [{ error: new TypeError("x") }, { einfo: { exc_type: "TypeError", exc_message: "x" }, status: "failure" }],
  ])("can be told by a queue's worker, with %p", async (outcome, expected) => {
    await changes.jobs.completed({ id: "41", name: "sync", userName: "alice" }, outcome)

    expect(await sent()).toMatchObject([
      { topic: completed, payload: { job_result_id: "41", job_name: "sync", user_name: "alice", ...expected } },
    ])
  })
})
