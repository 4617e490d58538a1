import { createHmac } from "node:crypto"
import type { DataSource } from "typeorm"
import { fixtureEntities } from "../../../fixtures/fixture-entities"
import { AssignmentNote } from "../../../fixtures/hostile/assignment-note"
import { Group } from "../../../fixtures/identity/group"
import { Project } from "../../../fixtures/identity/project"
import { RoleAssignment } from "../../../fixtures/identity/role-assignment"
import { Role } from "../../../fixtures/identity/role"
import { Device } from "../../../fixtures/inventory/device"
import { Site } from "../../../fixtures/inventory/site"
import { User } from "../../../fixtures/inventory/user"
import type { ChangeEventsOptions, SensitiveMode } from "../../../src"
import { describeOnEveryPostgres } from "../../servers/test-database"
import { captureDatabase, type CapturedDatabase, type ReceivedEvent } from "../../support/captured-database"
import { bodyFaults, describeDataSource } from "../../support/described-messages"
import { outboxDatabase, type OutboxDatabase } from "../../support/outbox-database"
import { installedTriggers } from "../../support/triggered-database"

const KEY = "a key of more than sixteen characters"
const hmac = (text: string): string => createHmac("sha256", KEY).update(text).digest("hex")

const SITE = 771_177
const OTHER_SITE = 772_277
const USER = "5ec2e700-0000-4000-8000-000000000001"
const id = (n: number): string => `00000000-0000-4000-8000-00000000000${n}`
const secret = new RegExp([SITE, OTHER_SITE, USER].join("|"))

const entities = [...fixtureEntities, AssignmentNote]

type Rules = NonNullable<ChangeEventsOptions["entities"]>

/** The sites' and the users' keys are hidden; nothing is said of what points to them, but for `further`. */
function hiding(mode: SensitiveMode, further: Rules = []): Rules {
  const rules: Rules = [
    { entity: Site, sensitive: { id: mode } },
    { entity: User, sensitive: { id: mode } },
    ...further,
  ]
  const named = rules.map((rule) => (typeof rule === "object" && "entity" in rule ? rule.entity : rule))
  return [...rules, ...entities.filter((entity) => !named.includes(entity))]
}

/** Rows that point: by a relation's own column, by a property that is part of the key, and by a key of several columns to that. */
async function writePointers({ manager }: DataSource): Promise<void> {
  await manager.query(`ALTER SEQUENCE dcim.site_id_seq RESTART ${SITE} INCREMENT ${OTHER_SITE - SITE}`)
  await manager.insert(Site, { name: "s", slug: "one" } as never)
  await manager.insert(Site, { name: "s", slug: "two" } as never)
  await manager.save(
    manager.create(
      Device,
      [1, 2].map((n) => ({ id: n, name: `d${n}`, site: { id: SITE } })),
    ),
  )
  await manager.updateAll(Device, { site: { id: OTHER_SITE } })
  await manager.insert(User, { id: USER, username: "u" })
  await manager.insert(Project, { id: id(1), name: "p" })
  await manager.insert(Role, { id: id(2), name: "r" })
  const key = { userId: USER, projectId: id(1), roleId: id(2) }
  await manager.insert(RoleAssignment, key)
  await manager.insert(AssignmentNote, { text: "n", assignment: key })
  await manager.update(AssignmentNote, { text: "n" }, { text: "m" })
  await manager.deleteAll(AssignmentNote)
  await manager.update(RoleAssignment, { roleId: id(2) }, { inherited: true })
  await manager.deleteAll(RoleAssignment)
  await manager.deleteAll(Site)
  await manager.deleteAll(Device)
}

const shows = (value: unknown) => ({ site: value, user: value })
const modes = [
  { mode: "mask", ...shows("***") },
  { mode: "hash", site: hmac(String(SITE)), user: hmac(USER) },
  { mode: "omit", ...shows(undefined) },
] as const

describeOnEveryPostgres((version) => {
  describe.each(modes)("a key that is sensitive ($mode)", ({ mode, site, user }) => {
    const changes = { sensitiveHashKey: KEY, entities: hiding(mode) }
    let captured: CapturedDatabase | undefined
    let outbox: OutboxDatabase | undefined

    afterEach(async () => {
      await captured?.close()
      await outbox?.close()
      captured = outbox = undefined
    })

    it("is let out by no row that points to it, directly", async () => {
      captured = await captureDatabase(version, { changes, dataSource: { entities } })
      const faultsIn = bodyFaults(describeDataSource(captured.dataSource))
      await writePointers(captured.dataSource)

      const messages = await captured.messages()
      expect(messages.length).toBeGreaterThan(15)
      expect(JSON.stringify([messages, captured.logged])).not.toMatch(secret)
      expect(messages.flatMap(({ topic, body }) => faultsIn(topic, JSON.parse(body)))).toEqual([])
    })

    it.each([10_000, 1])("nor in the change log, with %i rows that may come back of a statement", async (maxRows) => {
      outbox = await outboxDatabase(version, {
        changes: { ...changes, maxRowsPerStatement: maxRows },
        dataSource: { entities },
      })
      await writePointers(outbox.dataSource)

      const stored = await outbox.observer.query("SELECT * FROM change_events.log, change_events.statement")
      expect(JSON.stringify([await outbox.events(), outbox.logged])).not.toMatch(secret)
      expect(JSON.stringify(stored)).not.toMatch(secret)
    })

    it("is shown by what points to it as by its own row", async () => {
      captured = await captureDatabase(version, { changes, dataSource: { entities } })
      await writePointers(captured.dataSource)

      const events = await captured.events()
      const created = (model: string): ReceivedEvent["postchange"] =>
        events.find((event) => event.action === "create" && event.model === model)?.postchange ?? null
      expect([created("site")?.["id"], created("device")?.["site"]]).toEqual([site, site])
      expect([created("user")?.["id"], created("roleassignment")?.["userId"]]).toEqual([user, user])
      expect(created("assignmentnote")?.["assignment"]).toEqual(
        JSON.parse(JSON.stringify({ userId: user, projectId: id(1), roleId: id(2) })),
      )
      const moved = events.filter((event) => event.action === "update" && event.model === "device")
      expect(moved.map(({ differences }) => Object.keys(differences.added ?? {}))).toEqual(
        mode === "omit" ? [] : Array(4).fill(["site"]),
      )
    })

    it("is hidden by triggers, where what points to it is captured by them", async () => {
      const device = { entity: Device, capture: "triggers" } as const
      outbox = await outboxDatabase(version, {
        changes: { ...changes, entities: hiding(mode, [device]) },
        dataSource: { entities },
      })
      await installedTriggers(outbox)
      await writePointers(outbox.dataSource)

      const stored = await outbox.observer.query("SELECT * FROM change_events.log, change_events.statement")
      expect(JSON.stringify([await outbox.events(), outbox.logged])).not.toMatch(secret)
      expect(JSON.stringify(stored)).not.toMatch(secret)
      const made = (await outbox.events()).find(({ action, model }) => action === "create" && model === "device")
      expect(made?.postchange?.["site"]).toBe(mode === "omit" ? undefined : "***")
    })

    it("is let out by no notice whose rows point to it", async () => {
      captured = await captureDatabase(version, { changes, dataSource: { entities } })
      const { manager } = captured.dataSource
      const device = manager.create(Device, { id: 1, name: "d", site: { id: SITE } })
      const assignment = { userId: USER, projectId: id(1), roleId: id(2), user: { id: USER, username: "known" } }
      const kwargs = {
        device,
        site: manager.create(Site, { id: 1, slug: "s", devices: [device] }),
        group: manager.create(Group, { id: id(3), name: "g", members: [{ id: USER }] }),
        assignment: manager.create(RoleAssignment, assignment),
        note: manager.create(AssignmentNote, { id: 1, assignment: { userId: USER, projectId: id(1), roleId: id(2) } }),
      }
      await captured.changes.jobs.run({ name: "export", kwargs }, () => null)

      const text = JSON.stringify(await captured.messages())
      expect(text).toContain("known")
      expect(text).not.toMatch(secret)
    })
  })

  it("shows a hidden key as the relation that points to it says, where it says something", async () => {
    const rules = hiding("omit", [
      { entity: Device, sensitive: { site: "hash" } },
      { entity: RoleAssignment, sensitive: { user: "mask" } },
    ])
    const captured = await captureDatabase(version, {
      changes: { sensitiveHashKey: KEY, entities: rules },
      dataSource: { entities },
    })
    await writePointers(captured.dataSource)

    const created = (await captured.events()).filter(({ action }) => action === "create")
    const device = created.find(({ model }) => model === "device")
    const assignment = created.find(({ model }) => model === "roleassignment")
    await captured.close()
    expect(device?.postchange?.["site"]).toBe(hmac(String(SITE)))
    expect(assignment?.postchange?.["userId"]).toBe("***")
  })
})
