import { execFile } from "node:child_process"
import { join } from "node:path"
import { promisify } from "node:util"
import { countedUsage } from "../../../examples/identity/counted-usage"
import { identityClient, liveADay, type IdentityClient } from "../../../examples/identity/requests"
import { startIdentityService, type IdentityService } from "../../../examples/identity/service"
import { startUsageConsumer, type UsageConsumer } from "../../../examples/identity/usage-consumer"
import { startRedisServer, type RedisServer } from "../../servers/redis-server"
import { createTestDatabase, type TestDatabase } from "../../servers/test-database"
import { codeBlocks, repositoryText } from "../package/code-blocks"
import { subscribeToRedis } from "../brokers/redis-subscriber"

const run = promisify(execFile)

let redis: RedisServer

beforeAll(async () => void (redis = await startRedisServer()))
afterAll(() => redis.remove())

describe("the README of the identity example", () => {
  it("has a command that prints what it says", async () => {
    const database = await createTestDatabase(18)
    const [command = "", output] = codeBlocks(repositoryText("examples/identity/README.md"))

    const { stdout } = await run("sh", ["-c", command], {
      cwd: join(__dirname, "../../.."),
      env: { ...process.env, DATABASE_URL: database.url, REDIS_URL: redis.url },
    }).finally(() => database.drop())

    expect(stdout).toBe(output)
  })
})

describe("the identity service", () => {
  let database: TestDatabase
  let service: IdentityService
  let consumer: UsageConsumer
  let client: IdentityClient

  beforeEach(async () => {
    database = await createTestDatabase(18)
    consumer = await startUsageConsumer(redis.url)
    service = await startIdentityService({ databaseUrl: database.url, redisUrl: redis.url })
    client = identityClient(service.url, "admin")
  })
  afterEach(async () => {
    consumer.stop()
    await service.close()
    await database.drop()
  })

  async function toldUsage(): Promise<object> {
    await service.changes.flush()
    await consumer.caughtUp()
    return Object.fromEntries(consumer.usage())
  }

  it("tells a consumer on Redis all that it needs to know each project's usage", async () => {
    await liveADay(client)

    const told = await toldUsage()

    expect(told).toEqual(Object.fromEntries(await countedUsage(service.dataSource)))
    expect(Object.keys(told)).toHaveLength(2)
  })

  it("tells the same after requests that come at the same time", async () => {
    const numbers = Array.from({ length: 12 }, (_, index) => index)
    const users = await Promise.all(numbers.map((number) => client.create("users", { username: `user${number}` })))
    const projects = await Promise.all(
      [1, 2, 3].map((number) => client.create("projects", { name: `project${number}` })),
    )
    const roles = await Promise.all(["admin", "reader"].map((name) => client.create("roles", { name })))
    const grants = users.flatMap((user, index) =>
      roles.map((role) => `/projects/${projects[index % 3]}/users/${user}/roles/${role}`),
    )

    await Promise.all(grants.map((grant) => client.send("PUT", grant)))
    await Promise.all([
      ...grants.slice(0, 5).map((grant) => client.send("DELETE", grant)),
      client.send("DELETE", `/users/${users[7]}`),
      client.send("DELETE", `/users/${users[8]}`),
      client.send("DELETE", `/projects/${projects[2]}`),
    ])

    expect(await toldUsage()).toEqual(Object.fromEntries(await countedUsage(service.dataSource)))
  })

  it("speaks as Keystone does", async () => {
    const subscriber = await subscribeToRedis(redis.url, "identity.*")
    const id = await client.create("projects", { name: "platform" })
    const [message] = await subscriber.received(1)
    subscriber.stop()

    expect(message?.topic).toBe("identity.project.created")
    expect(JSON.parse(message?.body ?? "")).toEqual({
      event_type: "identity.project.created",
      message_id: expect.any(String),
      payload: { resource_info: id, request_id: expect.stringMatching(/^req-/) },
      priority: "INFO",
      publisher_id: "identity.identity-1",
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?$/),
    })
  })

  it("refuses to change a trust, and tells nobody that a project was disabled but its own listeners", async () => {
    const heard: string[] = []
    service.changes.on("disabled.*", ({ topic }) => void heard.push(topic))
    const [trustor, trustee] = await Promise.all(["a", "b"].map((username) => client.create("users", { username })))
    const trust = await client.create("trusts", { trustorUserId: trustor, trusteeUserId: trustee })
    const project = await client.create("projects", { name: "platform" })

    const changed = await client.send("PATCH", `/trusts/${trust}`, { impersonation: true })
    await client.send("PATCH", `/projects/${project}`, { enabled: false })
    await toldUsage()

    expect(changed).toBe(409)
    expect(heard).toEqual(["disabled.identity.project"])
    expect([...consumer.received().keys()].sort()).toEqual([
      "identity.project.created",
      "identity.project.updated",
      "identity.trust.created",
      "identity.user.created",
    ])
  })
})
