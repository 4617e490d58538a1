import { User } from "../../../fixtures/inventory/user"
import { captureDatabase, type CapturedDatabase } from "../../support/captured-database"
import { bodyFaults, describeDataSource, type BodyFaults } from "../../support/described-messages"

describe("the described events of users, jobs and approvals", () => {
  let captured: CapturedDatabase
  let faultsOf: BodyFaults

  beforeAll(async () => {
    captured = await captureDatabase(18, { changes: { topicPrefix: "inventory" } })
    faultsOf = bodyFaults(describeDataSource(captured.dataSource))
  })
  afterAll(() => captured.close())

  it("are what is sent", async () => {
    const { users, admin, jobs, approvals } = captured.changes
    const user = await captured.dataSource.manager.save(User, { username: "alice" } as User)
    await captured.messages()
    await users.login(user, { method: "saml" })
    await users.loginFailed({ userName: "bob", reason: "no such user" })
    await users.logout(user)
    await users.changePassword(user)
    await admin.changePassword(user)
    await jobs.run({ name: "sync", kwargs: { site: 1 } }, async () => 7)
    await expect(jobs.run({ name: "sync" }, () => Promise.reject(new Error("no")))).rejects.toThrow("no")
    await approvals.approved({ id: 1, name: "nightly" })
    await approvals.denied({ id: 1, name: "nightly" })
    await approvals.canceled({ id: 1, name: "nightly" })

    const messages = await captured.messages()
    expect(messages).toHaveLength(12)
    expect(messages.flatMap(({ topic, body }) => faultsOf(topic, JSON.parse(body)))).toEqual([])
    expect(faultsOf("inventory.users.user.login", { user: 1 })).not.toEqual([])
  })
})
