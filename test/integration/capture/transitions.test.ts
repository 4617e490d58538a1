import type { Repository } from "typeorm"
import { User } from "../../../fixtures/inventory/user"
import type { OutgoingEvent } from "../../../src"
import { describeOnEveryPostgres } from "../../servers/test-database"
import { captureDatabase, type CapturedDatabase } from "../../support/captured-database"

describeOnEveryPostgres((version) => {
  let captured: CapturedDatabase
  let users: Repository<User>
  let heard: OutgoingEvent[]

  beforeEach(async () => {
    captured = await captureDatabase(version, {
      changes: {
        topicPrefix: "identity",
        entities: [
          {
            entity: User,
            transitions: {
              isActive: { false: "disabled", true: { operation: "enabled", internal: true } },
              email: { "gone@example.org": "anonymised" },
            },
          },
        ],
      },
    })
    users = captured.dataSource.getRepository(User)
    heard = []
    captured.changes.on("identity.*", (event) => void heard.push(event))
    await users.insert({ username: "alice" })
    await captured.messages()
    heard = []
  })
  afterEach(() => captured.close())

  const topics = async (): Promise<string[]> => (await captured.messages()).map((message) => message.topic)

  it.each(["update", "save", "upsert"] as const)(
    "has an event of its own beside the update's, by %s()",
    async (way) => {
      if (way === "update") await users.update({ username: "alice" }, { isActive: false })
      if (way === "save") await users.save({ ...(await users.findOneByOrFail({ username: "alice" })), isActive: false })
      if (way === "upsert") await users.upsert({ username: "alice", isActive: false }, ["username"])

      const messages = await captured.messages()
      expect(messages.map((message) => message.topic)).toEqual([
        "identity.update.users.user",
        "identity.disabled.users.user",
      ])
      const [update, disabled] = messages.map((message) => JSON.parse(message.body))
      expect(disabled.differences).toEqual(update.differences)
      expect(heard.map((event) => event.kind === "change" && event.transition)).toEqual([undefined, "disabled"])
    },
  )

  it("stays in the process when it is internal", async () => {
    await users.update({ username: "alice" }, { isActive: false })
    await captured.messages()
    heard = []
    await users.update({ username: "alice" }, { isActive: true })

    expect(await topics()).toEqual(["identity.update.users.user"])
    expect(heard.map((event) => event.topic)).toEqual(["identity.update.users.user", "identity.enabled.users.user"])
  })

  it("is none when the property does not change, or to another value", async () => {
    await users.update({ username: "alice" }, { isActive: true, email: "here@example.org" })

    expect(await topics()).toEqual(["identity.update.users.user"])
  })

  it("goes with its transaction", async () => {
    const work = captured.dataSource.transaction(async (manager) => {
      await manager.update(User, { username: "alice" }, { isActive: false })
      throw new Error("no")
    })

    await expect(work).rejects.toThrow("no")
    expect(await topics()).toEqual([])
    expect(heard).toEqual([])
  })

  it("has a neighbour in an application's internal event, which no broker gets", async () => {
    await captured.changes.publish("identity.cache.stale", { user: 1 }, { internal: true })

    expect(await topics()).toEqual([])
    expect(heard).toMatchObject([{ kind: "application", topic: "identity.cache.stale", payload: { user: 1 } }])
  })
})
