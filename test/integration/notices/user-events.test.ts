import vectors from "../../../fixtures/vectors/users-approvals.json"
import { datasetKeys, loadDataset } from "../../../fixtures/dataset"
import { Group } from "../../../fixtures/identity/group"
import { RegionEntity } from "../../../fixtures/identity/region"
import { Site } from "../../../fixtures/inventory/site"
import { User } from "../../../fixtures/inventory/user"
import type { ChangeEvents, ChangeEventsOptions, RecordOptions } from "../../../src"
import { describeOnEveryPostgres } from "../../servers/test-database"
import { captureDatabase, type CapturedDatabase } from "../../support/captured-database"

type Send = (changes: ChangeEvents, user: object, options?: RecordOptions) => Promise<void>

const calls: Readonly<Record<string, Send>> = {
  "nautobot.users.user.login": (changes, user, options) => changes.users.login(user, options),
  "nautobot.users.user.logout": (changes, user, options) => changes.users.logout(user, options),
  "nautobot.users.user.change_password": (changes, user, options) => changes.users.changePassword(user, options),
  "nautobot.admin.user.change_password": (changes, user, options) => changes.admin.changePassword(user, options),
}
const topics = Object.keys(calls)
const send = (topic: string): Send => calls[topic] as Send

const entities: ChangeEventsOptions["entities"] = [
  {
    entity: User,
    ignore: ["preferences"],
    display: (row) => String(row["username"]),
    url: (row) => `/api/users/${String(row["id"])}/`,
  },
  Group,
]

describeOnEveryPostgres((version) => {
  let captured: CapturedDatabase

  beforeAll(async () => {
    captured = await captureDatabase(version, { changes: { topicPrefix: "nautobot", entities } })
    await loadDataset(captured.dataSource.manager)
  })
  afterAll(() => captured.close())
  beforeEach(() => captured.messages())

  async function sent(): Promise<readonly { topic: string; key: string; payload: Record<string, unknown> }[]> {
    const messages = await captured.messages()
    return messages.map(({ topic, key, body }) => ({
      topic,
      key,
      payload: JSON.parse(body) as Record<string, unknown>,
    }))
  }

  const alice = (): Promise<User> => captured.dataSource.manager.findOneByOrFail(User, { id: datasetKeys.users.alice })

  describe.each(topics)("%s", (topic) => {
    it("tells the user's row, with what it is and where it is found", async () => {
      const user = await alice()
      await send(topic)(captured.changes, user)

      expect(await sent()).toEqual([
        {
          topic,
          key: `users.user:${user.id}`,
          payload: {
            data: {
              id: user.id,
              object_type: "users.user",
              display: "alice",
              url: `/api/users/${user.id}/`,
              username: "alice",
              email: "alice@example.org",
              isActive: true,
              lastLogin: user.lastLogin?.toISOString() ?? null,
              dateJoined: user.dateJoined.toISOString(),
            },
          },
        },
      ])
    })

    it("passes the vector of its topic, with `ignore` for what the seed leaves out", async () => {
      const vector = vectors.find(({ expected }) => expected.topic === topic)
      const { config_data: preferences, id, username, email } = vector?.input.serialized_user as never
      await send(topic)(
        captured.changes,
        captured.dataSource.manager.create(User, { id, username, email, preferences }),
      )

      const [message] = await sent()
      expect(message?.topic).toBe(vector?.expected.topic)
      expect(message?.payload).toMatchObject(vector?.expected.payload as object)
      expect(message?.payload["data"]).not.toHaveProperty("preferences")
    })

    it("belongs to the transaction of `manager`, and leaves only when that commits", async () => {
      const user = await alice()
      const work = captured.dataSource.transaction(async (manager) => {
        await send(topic)(captured.changes, user, { manager })
        throw new Error("no")
      })
      await expect(work).rejects.toThrow("no")
      expect(await sent()).toEqual([])

      await captured.dataSource.transaction(async (manager) => {
        await send(topic)(captured.changes, user, { manager })
        expect(await sent()).toEqual([])
      })
      expect(await sent()).toMatchObject([{ topic }])
    })
  })

  it("lets no sensitive column out, not even one that was loaded, nor that of a user in a group", async () => {
    const loaded = await captured.dataSource.manager.findOneOrFail(User, {
      where: { id: datasetKeys.users.alice },
      select: { id: true, username: true, password: true, apiToken: true },
    })
    expect(loaded.password).toContain("argon2id")
    const group = await captured.dataSource.manager.findOneOrFail(Group, { where: {}, relations: { members: true } })
    await captured.changes.users.login(loaded)
    await captured.changes.users.login({ id: 7, loaded, group })

    const text = JSON.stringify(await sent())
    expect(text).toContain("operators")
    expect(text).not.toMatch(/argon2id|t-alice|apiToken/)
  })

  it("lets none out as a job's argument or output either", async () => {
    const loaded = Object.assign(await alice(), { password: "argon2id", apiToken: "t-alice" })
    await captured.changes.jobs.run({ name: "export", kwargs: { user: loaded } }, () => [loaded])

    const text = JSON.stringify(await sent())
    expect(text).toContain('"job_output":[{"id":')
    expect(text).not.toMatch(/argon2id|t-alice|apiToken/)
  })

  it("shows masked and hashed columns as the images of their rows do", async () => {
    const modes = { email: "mask", username: "hash" } as const
    const own = await captureDatabase(version, {
      changes: { entities: [{ entity: User, sensitive: modes }], sensitiveHashKey: "more than sixteen characters" },
    })
    const user = await own.dataSource.manager.save(User, { username: "bob", email: "bob@example.org", lastLogin: null })
    const [created] = await own.events()
    await own.changes.users.login(Object.assign(new User(), user))

    const [message] = await own.messages()
    expect((JSON.parse(message?.body ?? "") as { data: object }).data).toMatchObject({
      ...created?.postchange,
      email: "***",
      object_type: "users.user",
    })
    await own.close()
  })

  it("takes a plain record as it is, with what is named like a secret masked", async () => {
    const since = new Date(0)
    await captured.changes.users.login({
      id: 7,
      name: "alice",
      since,
      passwordHash: "x",
      nested: { apiKey: "x", n: 1n },
    })

    expect(await sent()).toMatchObject([
      {
        key: "users.user:7",
        payload: {
          data: {
            id: 7,
            name: "alice",
            since: since.toISOString(),
            passwordHash: "***",
            nested: { apiKey: "***", n: "1" },
          },
        },
      },
    ])
  })

  it("takes a plain object for a row of the entity that is named", async () => {
    const own = await captureDatabase(version, { changes: { entities: [{ entity: RegionEntity, url: () => "/r" }] } })
    const region = { id: "eu", description: "Europe", parent: { id: "earth" }, updatedAt: new Date(0), extra: 1 }
    await own.changes.users.login(region, { entity: "Region", manager: own.dataSource.manager })

    const [message] = await own.messages()
    expect(JSON.parse(message?.body ?? "")).toEqual({
      data: {
        id: "eu",
        object_type: "identity.region",
        url: "/r",
        description: "Europe",
        updatedAt: "1970-01-01T00:00:00.000Z",
        parent: "earth",
      },
    })
    await own.close()
  })

  it("says how somebody signed in, when told", async () => {
    await captured.changes.users.login(await alice(), { method: "saml" })

    expect(await sent()).toMatchObject([{ payload: { data: { username: "alice" }, method: "saml" } }])
  })

  it("nautobot.users.user.login_failed tells the outcome, the reason and its code", async () => {
    await captured.changes.users.loginFailed({ userName: "mallory", reason: "wrong password", method: "password" })
    await captured.changes.users.loginFailed({ userName: null, reason: { type: "token=abc expired", code: 401 } })

    const topic = "nautobot.users.user.login_failed"
    expect(await sent()).toEqual([
      {
        topic,
        key: "users.user:mallory",
        payload: {
          data: { user_name: "mallory" },
          outcome: "failure",
          reason: { type: "wrong password", code: null },
          method: "password",
        },
      },
      {
        topic,
        key: "users.user",
        payload: {
          data: { user_name: null },
          outcome: "failure",
          reason: { type: "token=(redacted) expired", code: "401" },
          method: null,
        },
      },
    ])
  })

  it("reports a display that throws, and sends the rest", async () => {
    const own = await captureDatabase(version, {
      changes: { entities: [{ entity: User, display: () => JSON.parse("{") as string, url: () => 7 as never }] },
    })
    await own.dataSource.query("SELECT 1")
    await own.changes.users.login(Object.assign(new User(), { id: "7" }))

    const [message] = await own.messages()
    expect(JSON.parse(message?.body ?? "")).toEqual({ data: { id: "7", object_type: "users.user" } })
    expect(own.logged.join()).toMatch(/`display` of users.user failed.*`url` of users.user failed/)
    await own.close()
  })

  describe("bad input", () => {
    it.each([
      ["nobody", null, "RECORD_INVALID"],
      ["a name", "alice", "RECORD_INVALID"],
      ["a promise", Promise.resolve({ id: 1 }), "RECORD_INVALID"],
      ["a list", [{ id: 1 }], "RECORD_INVALID"],
      ["a record without a key", { name: "alice" }, "RECORD_INVALID"],
      ["an entity that was never saved", Object.assign(new User(), { username: "alice" }), "RECORD_INVALID"],
      ["a record with a function", { id: 1, find: () => 1 }, "EVENT_UNSERIALIZABLE"],
    ])("refuses %s", async (_, user, code) => {
      await expect(captured.changes.users.login(user as never)).rejects.toMatchObject({ code })
      expect(await sent()).toEqual([])
    })

    it("names what is missing, and no value", async () => {
      const record = { name: "hunter2" }

      await expect(captured.changes.users.login(record)).rejects.toMatchObject({ details: { missing: ["id"] } })
      await expect(captured.changes.users.login(record)).rejects.not.toThrow("hunter2")
    })

    it("refuses an entity of a DataSource without the subscriber, for what is sensitive in it is not known", async () => {
      const own = await captureDatabase(version, { changes: {}, dataSource: { entities: [Group, User] } })
      const login = own.changes.users.login(Object.assign(new Site(), { id: 1 }))
      await expect(login).rejects.toMatchObject({ code: "DATA_SOURCE_NOT_ATTACHED" })
      await own.close()
    })

    it.each([
      ["an option with a typing error", { manger: {} }],
      ["a manager that is none", { manager: 7 }],
      ["a method that is no text", { method: 7 }],
    ])("refuses %s", async (_, options) => {
      const login = captured.changes.users.login({ id: 1 }, options as never)
      await expect(login).rejects.toMatchObject({ code: "OPTIONS_INVALID" })
    })

    it.each([
      ["without a reason", { userName: "mallory" }],
      ["without a name", { reason: "wrong password" }],
      ["with a reason that has no type", { userName: "mallory", reason: { code: 401 } }],
      ["with a code that is none", { userName: "mallory", reason: { type: "x", code: {} } }],
    ])("refuses a failed sign-in %s", async (_, attempt) => {
      const told = captured.changes.users.loginFailed(attempt as never)
      await expect(told).rejects.toMatchObject({ code: "OPTIONS_INVALID" })
    })
  })
})
