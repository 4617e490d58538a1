import type { DataSource } from "typeorm"
import { columnSamples } from "../../../fixtures/hostile/column-samples"
import { columnTypeEntities, hostileEntities } from "../../../fixtures/hostile/hostile-entities"
import { ClosureNode } from "../../../fixtures/hostile/closure-node"
import { GeneratedTypes } from "../../../fixtures/hostile/column-types/generated-types"
import { OddNames } from "../../../fixtures/hostile/odd-names"
import { QuotedTable } from "../../../fixtures/hostile/quoted-table"
import { Shipment } from "../../../fixtures/hostile/shipment"
import { Ticket } from "../../../fixtures/hostile/ticket"
import { Widget } from "../../../fixtures/hostile/widget"
import { WithoutSchema } from "../../../fixtures/hostile/without-schema"
import { fixtureEntities } from "../../../fixtures/fixture-entities"
import { Project } from "../../../fixtures/identity/project"
import { Role } from "../../../fixtures/identity/role"
import { RoleAssignment } from "../../../fixtures/identity/role-assignment"
import { Device } from "../../../fixtures/inventory/device"
import { IPAddress } from "../../../fixtures/inventory/ip-address"
import { Job } from "../../../fixtures/inventory/job"
import { ScheduledJob } from "../../../fixtures/inventory/scheduled-job"
import { User } from "../../../fixtures/inventory/user"
import { withChangeContext, type ChangeEventsOptions } from "../../../src"
import { describeOnEveryPostgres } from "../../servers/test-database"
import { comparableEvents } from "../../support/comparable-events"
import { outboxDatabase, type LoggedEvent, type OutboxDatabase } from "../../support/outbox-database"
import { emptyLog, triggeredDatabase } from "../../support/triggered-database"

const entities = [...new Set([...fixtureEntities, ...hostileEntities, ...columnTypeEntities])]

const changes: Partial<ChangeEventsOptions> = {
  entities: [
    { entity: User, sensitive: { email: "mask", username: "mask", preferences: "omit" } },
    ...entities.filter((entity) => entity !== User),
  ],
}

const id = (n: number): string => `00000000-0000-4000-8000-00000000000${n}`

describeOnEveryPostgres((version) => {
  let byTriggers: OutboxDatabase
  let byOrm: OutboxDatabase

  beforeAll(async () => {
    byTriggers = await triggeredDatabase(version, {
      changes: { ...changes, capture: "triggers" },
      dataSource: { entities },
    })
    byOrm = await outboxDatabase(version, { changes, dataSource: { entities } })
  })
  afterAll(() => Promise.all([byTriggers.close(), byOrm.close()]))

  async function bothTell(work: (dataSource: DataSource) => Promise<unknown>): Promise<readonly LoggedEvent[]> {
    for (const outbox of [byTriggers, byOrm]) {
      await emptyLog(outbox)
      await withChangeContext({ userName: "alice", changeContext: "Job" }, () => work(outbox.dataSource))
    }
    const events = await byTriggers.events()
    expect(comparableEvents(events)).toEqual(comparableEvents(await byOrm.events()))
    return events
  }

  it.each(columnSamples.map((sample) => [(sample.entity as { name: string }).name, sample] as const))(
    "tells the same of every column type of %s",
    async (_name, { entity, values }) => {
      const events = await bothTell(async ({ manager }) => {
        for (const [property, samples] of Object.entries(values)) {
          for (const value of samples) await manager.insert(entity, { [property]: value })
        }
        const properties = Object.entries(values).map(([property, samples]) => [property, samples[0]] as const)
        await manager.updateAll(entity, Object.fromEntries(properties))
        await manager.updateAll(entity, Object.fromEntries(properties.map(([property]) => [property, null])))
        await manager.deleteAll(entity)
      })

      expect(events.length).toBeGreaterThan(4)
    },
  )

  it("tells soft-removes, recovers, inheritance, embedded and composite keys as capture around TypeORM does", async () => {
    const events = await bothTell(async ({ manager }) => {
      await manager.insert(IPAddress, [{ address: "10.0.0.1/24" }, { address: "10.0.0.2/24" }])
      await manager.createQueryBuilder().softDelete().from(IPAddress).execute()
      await manager.createQueryBuilder().restore().from(IPAddress).execute()
      await manager.deleteAll(IPAddress)
      await manager.insert(Job, [{ name: "j" }, { name: "k" }])
      await manager.insert(ScheduledJob, [{ name: "l" }, { name: "m" }])
      await manager.createQueryBuilder().update(Job).set({ enabled: false }).execute()
      await manager.deleteAll(Job)
      await manager.insert(User, { id: id(1), username: "u" })
      await manager.insert(Project, { id: id(2), name: "p" })
      await manager.insert(Role, { id: id(3), name: "r" })
      await manager.insert(RoleAssignment, { userId: id(1), projectId: id(2), roleId: id(3) })
      await manager.updateAll(RoleAssignment, { inherited: true })
      await manager.deleteAll(RoleAssignment)
      await manager.insert(Ticket, { key: "T-7", title: "t" })
      await manager.insert(Shipment, { from: { street: "a" } as never, to: {} as never })
      await manager.deleteAll(Shipment)
    })

    expect(new Set(events.map(({ model }) => model)).size).toBeGreaterThan(7)
  })

  it("tells a tree's closure rows as capture around TypeORM does", async () => {
    const events = await bothTell(async ({ manager }) => {
      const save = (name: string, parent: ClosureNode | null) =>
        manager.save(manager.create(ClosureNode, { name, parent: parent as ClosureNode }))
      const root = await save("root", null)
      const child = await save("child", root)
      const leaf = await save("leaf", child)
      child.parent = await save("other", null)
      await manager.save(child)
      await manager.remove(leaf)
    })

    expect(events.filter(({ model }) => model === "closure_node_closure")).toHaveLength(14)
  })

  it("tells names that must be quoted, tables without a schema, and columns that the server decides", async () => {
    const events = await bothTell(async ({ manager }) => {
      await manager.insert(OddNames, {
        select: "a",
        mixedCase: "b",
        quote: 'c"',
        apostrophe: "d'",
        dollar: "$1",
        old: "e",
      })
      await manager.updateAll(OddNames, { old: "f", new: "g", größe: "h" })
      await manager.insert(QuotedTable, { value: "v" })
      await manager.deleteAll(QuotedTable)
      await manager.insert(WithoutSchema, { name: "w" } as never)
      await manager.deleteAll(WithoutSchema)
      await manager.insert(GeneratedTypes, { quantity: 2, token: id(4), expiresAt: new Date(0) })
      await manager.updateAll(GeneratedTypes, { quantity: 3 })
      await manager.insert(Device, { name: "d" })
      await manager.insert(Widget, { name: "w" } as never)
      await manager.deleteAll(Widget)
    })

    expect(events.length).toBeGreaterThan(9)
  })

  it("hides sensitive values, and tells that they changed", async () => {
    const events = await bothTell(async ({ manager }) => {
      await manager.updateAll(User, { email: "secret-1", username: "secret-2", apiToken: "secret-3" })
      await manager.updateAll(User, { email: "secret-4" })
      await manager.updateAll(User, { apiToken: "secret-5", password: "secret-6" })
      await manager.updateAll(User, { email: null })
      await manager.deleteAll(User)
    })

    expect(events.map(({ differences }) => differences.added)).toEqual([
      { email: "***", username: "***" },
      { email: "***" },
      { email: null },
      null,
    ])
    const stored = await byTriggers.observer.query("SELECT * FROM change_events.log, change_events.statement")
    expect(JSON.stringify(stored)).not.toMatch(/secret-/)
  })
})
