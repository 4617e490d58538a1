import { User } from "../../../fixtures/inventory/user"
import { withChangeContext, type ChangeEventsOptions } from "../../../src"
import { describeOnEveryPostgres } from "../../servers/test-database"
import { captureDatabase, type CapturedDatabase } from "../../support/captured-database"

const KEY = "a key of more than sixteen characters"
const secrets = [
  "hunter2-hash",
  "tok-SECRET-1",
  "tok-SECRET-2",
  "Masked@Example.org",
  "masked@example.org",
  "hashed-name",
]

const entities: ChangeEventsOptions["entities"] = [
  { entity: User, sensitive: { email: "mask", username: "hash", preferences: "omit" } },
]

describeOnEveryPostgres((version) => {
  let captured: CapturedDatabase

  beforeEach(async () => {
    captured = await captureDatabase(version, { changes: { entities, sensitiveHashKey: KEY } })
  })
  afterEach(() => captured.close())

  /** Everything that left: messages with their headers, log lines and the status. */
  async function bytes(): Promise<string> {
    return JSON.stringify([await captured.messages(), captured.logged, captured.changes.status()])
  }

  async function writeSecrets(): Promise<void> {
    const users = captured.dataSource.getRepository(User)
    const user = users.create({
      username: "hashed-name",
      email: "Masked@Example.org",
      password: "hunter2-hash",
      apiToken: "tok-SECRET-1",
      preferences: { pin: "hunter2-hash" },
    })
    await users.save(user)
    await users.save({ ...user, apiToken: "tok-SECRET-2", email: "other@example.org", isActive: false })
    await users.update({ username: "hashed-name" }, { apiToken: "tok-SECRET-1", lastLogin: new Date(0) })
    await users.upsert({ username: "hashed-name", email: "Masked@Example.org" }, ["username"])
    await users.query(`UPDATE users."user" SET "apiToken" = 'tok-SECRET-2'`)
    await users.insert({ username: "hashed-name" }).catch(() => undefined)
    await users.delete({ username: "hashed-name" })
  }

  it("lets no sensitive value out, on create, update, upsert, delete, failure and raw SQL", async () => {
    await withChangeContext(
      { userName: "alice", apiKey: "tok-SECRET-1", session: { authToken: "tok-SECRET-2" } },
      writeSecrets,
    )

    const left = await bytes()
    expect(left).toContain("update.users.user")
    expect(left).toContain("WRITE_UNCAPTURED")
    for (const secret of secrets) expect(left).not.toContain(secret)
  })

  it("lets no sensitive value out when a broker and a transformer fail on it", async () => {
    const users = captured.dataSource.getRepository(User)
    await users.query(
      `INSERT INTO users."user" (username, email, "apiToken") VALUES ('hashed-name', 'Masked@Example.org', 'tok-SECRET-1')`,
    )
    const isActive = captured.dataSource.getMetadata(User).findColumnWithPropertyName("isActive") as {
      transformer?: unknown
    }
    isActive.transformer = { to: (value: unknown) => value, from: () => fail("cannot read") }
    captured.changes.registerBroker("broken", { publish: async () => fail("down") }, { delivery: { maxAttempts: 1 } })
    await users.update({ username: "hashed-name" }, { email: "masked@example.org", apiToken: "tok-SECRET-2" })

    await captured.changes.flush()
    const left = await bytes()
    delete isActive.transformer
    for (const secret of secrets) expect(left).not.toContain(secret)
    expect(captured.changes.status().brokers["memory"]?.failed).toBeGreaterThan(0)
  })

  it("tells that a masked value changed, without the value, and keeps equal hashes equal", async () => {
    const users = captured.dataSource.getRepository(User)
    await users.insert({ username: "hashed-name", email: "a@example.org" })
    await users.update({ username: "hashed-name" }, { email: "b@example.org" })

    const [created, updated] = await captured.events()
    expect(updated?.differences).toEqual({ added: { email: "***" }, removed: { email: "***" } })
    expect(updated?.prechange?.["username"]).toMatch(/^[0-9a-f]{64}$/)
    expect(updated?.prechange?.["username"]).toBe(created?.postchange?.["username"])
    expect(created?.postchange).not.toHaveProperty("password")
    expect(created?.postchange).not.toHaveProperty("apiToken")
  })

  it("makes no event of a change that only an omitted column shows", async () => {
    const users = captured.dataSource.getRepository(User)
    await users.insert({ username: "hashed-name" })
    await users.update({ username: "hashed-name" }, { apiToken: "tok-SECRET-1", password: "hunter2-hash" })

    expect((await captured.events()).map((event) => event.action)).toEqual(["create"])
  })

  it("needs a key for hashes", async () => {
    const keyless = await captureDatabase(version, { changes: { entities } })
    await keyless.dataSource.getRepository(User).insert({ username: "nobody" })

    expect(keyless.logged.join()).toContain("OPTIONS_INVALID")
    expect(keyless.logged.join()).toContain("sensitiveHashKey")
    expect(await keyless.events()).toEqual([])
    await keyless.close()
  })
})

function fail(message: string): never {
  throw new Error(message)
}
