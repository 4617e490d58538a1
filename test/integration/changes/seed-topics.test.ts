import type { DataSource } from "typeorm"
import { Group } from "../../../fixtures/identity/group"
import { Project } from "../../../fixtures/identity/project"
import { Role } from "../../../fixtures/identity/role"
import { Trust } from "../../../fixtures/identity/trust"
import { Device } from "../../../fixtures/inventory/device"
import { IPAddress } from "../../../fixtures/inventory/ip-address"
import { Tag } from "../../../fixtures/inventory/tag"
import { User } from "../../../fixtures/inventory/user"
import { changeEvents, type ChangeEvents } from "../../../src"
import { keystone } from "../../../src/formats/keystone"
import { memoryBroker, type MemoryBroker } from "../../../src/testing"
import { createTestDatabase, type TestDatabase } from "../../servers/test-database"

// What the two seed documents name, as far as a row's change is the cause. Users', jobs' and approvals' events have tests of their own.

interface Notification {
  readonly event_type: string
  readonly payload: { readonly resource_info: string }
  readonly priority: string
  readonly publisher_id: string
  readonly timestamp: string
}

/** What the resources have in common for a test that changes any of them. */
interface Resource {
  readonly id: string
  readonly description?: string
}

describe("the topics of the seeds", () => {
  let database: TestDatabase
  let dataSource: DataSource
  let changes: ChangeEvents
  let records: MemoryBroker
  let notifications: MemoryBroker

  beforeEach(async () => {
    database = await createTestDatabase(18)
    records = memoryBroker()
    notifications = memoryBroker()
    changes = changeEvents({
      topicPrefix: "nautobot",
      brokers: { records, notifications: { use: notifications, format: keystone({ host: "host1234" }) } },
    })
    dataSource = await database.dataSource({ subscribers: [changes.subscriber] })
  })
  afterEach(async () => {
    await changes.close()
    await database.drop()
  })

  async function topics(): Promise<string[]> {
    await changes.flush()
    return records.messages.map((message) => message.topic)
  }

  it("nautobot.create.dcim.device: a new record was created", async () => {
    await dataSource.manager.save(Device, { name: "sw1" })

    expect(await topics()).toEqual(["nautobot.create.dcim.device"])
  })

  it("nautobot.update.ipam.ipaddress: an existing record was saved", async () => {
    const address = await dataSource.manager.save(IPAddress, { address: "192.0.2.1/32" } as IPAddress)
    await dataSource.manager.save(IPAddress, { ...address, address: "192.0.2.2/32" })

    expect(await topics()).toEqual(["nautobot.create.ipam.ipaddress", "nautobot.update.ipam.ipaddress"])
  })

  it("nautobot.delete.extras.tag: an existing record was deleted", async () => {
    const tag = await dataSource.manager.save(Tag, { name: "old" } as Tag)
    await dataSource.manager.delete(Tag, tag.id)

    expect(await topics()).toEqual(["nautobot.create.extras.tag", "nautobot.delete.extras.tag"])
  })

  async function notified(): Promise<Notification[]> {
    await changes.flush()
    return notifications.messages.map((message) => JSON.parse(message.body) as Notification)
  }

  it.each([
    ["group", Group, { name: "admins" }, { description: "all of them" }],
    ["project", Project, { name: "billing" }, { description: "money" }],
    ["role", Role, { name: "reader" }, { description: "reads" }],
    ["user", User, { username: "alice" }, { isActive: false }],
  ] as const)("identity.%s.created, updated and deleted", async (type, entity, values, change) => {
    const repository = dataSource.getRepository<Resource>(entity)
    const { id } = await repository.save(repository.create({ ...values } as unknown as Resource))
    await repository.update(id, { ...change } as Partial<Resource>)
    await repository.delete(id)

    const received = await notified()
    expect(received.map((each) => each.event_type)).toEqual(
      ["created", "updated", "deleted"].map((operation) => `identity.${type}.${operation}`),
    )
    for (const each of received) {
      expect(each).toMatchObject({
        payload: { resource_info: id },
        priority: "INFO",
        publisher_id: "identity.host1234",
      })
      expect(each.timestamp).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{6})?$/)
    }
  })

  it("identity.trust.created and deleted, and no updated: an immutable resource", async () => {
    const only = changeEvents({
      brokers: { notifications: { use: notifications, format: keystone({ host: "host1234" }) } },
      entities: [{ entity: Trust, immutable: true }],
    })
    const trusts = (await database.dataSource({ subscribers: [only.subscriber] })).getRepository(Trust)
    const [trustor, trustee] = await dataSource.manager.save(User, [{ username: "a" }, { username: "b" }] as User[])
    const trust = await trusts.save(trusts.create({ trustorUserId: trustor?.id, trusteeUserId: trustee?.id }))
    await expect(trusts.update(trust.id, { remainingUses: 1 })).rejects.toMatchObject({ code: "IMMUTABLE_ENTITY" })
    await trusts.delete(trust.id)
    await only.flush()

    const trustEvents = (await notified()).map((each) => each.event_type).filter((type) => type.includes("trust"))
    expect(trustEvents).toEqual(["identity.trust.created", "identity.trust.deleted"])
    await only.close()
  })

  it("sends nothing for an operation that fails", async () => {
    await dataSource.manager.save(User, { username: "taken" })
    await expect(dataSource.manager.save(User, { username: "taken" })).rejects.toThrow()

    expect((await notified()).map((each) => each.event_type)).toEqual(["identity.user.created"])
  })
})
