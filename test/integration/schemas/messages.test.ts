import { datasetKeys, loadDataset } from "../../../fixtures/dataset"
import { fixtureEntities } from "../../../fixtures/fixture-entities"
import { AssignmentNote } from "../../../fixtures/hostile/assignment-note"
import { columnSamples } from "../../../fixtures/hostile/column-samples"
import { hostileEntities } from "../../../fixtures/hostile/hostile-entities"
import { Rota } from "../../../fixtures/hostile/rota"
import { Shift } from "../../../fixtures/hostile/shift"
import { RoleAssignment } from "../../../fixtures/identity/role-assignment"
import { Trust } from "../../../fixtures/identity/trust"
import { Device } from "../../../fixtures/inventory/device"
import { IPAddress } from "../../../fixtures/inventory/ip-address"
import { Site } from "../../../fixtures/inventory/site"
import { User } from "../../../fixtures/inventory/user"
import { withChangeContext, type ChangeEventOf, type EventMessage } from "../../../src"
import { describeOnEveryPostgres } from "../../servers/test-database"
import { captureDatabase, type CapturedDatabase } from "../../support/captured-database"
import { bodyFaults, describeDataSource, type BodyFaults } from "../../support/described-messages"

/** RFC 3339 has no years before the first, so `format: date` does not hold for it: docs/schemas.md says so. */
const isBeforeChrist = (value: unknown): boolean => typeof value === "string" && value.endsWith("BC")

describeOnEveryPostgres((version) => {
  let captured: CapturedDatabase
  let faultsIn: BodyFaults

  beforeAll(async () => {
    captured = await captureDatabase(version, {
      changes: {
        topicPrefix: "inventory",
        relations: "both",
        sensitiveHashKey: "at least sixteen characters",
        entities: [
          ...hostileEntities,
          ...fixtureEntities.filter((entity) => entity !== Trust && entity !== User && entity !== Device),
          { entity: Trust, immutable: true, relations: "off" },
          { entity: User, sensitive: { email: "mask", username: "hash" } },
          {
            entity: Device,
            transitions: { status: { retired: "retired", failed: { operation: "failed", internal: true } } },
          },
        ],
      },
      dataSource: { entities: [...fixtureEntities, ...hostileEntities] },
    })
    faultsIn = bodyFaults(describeDataSource(captured.dataSource))
  })
  afterAll(() => captured.close())

  const faultsOf = (messages: readonly EventMessage[]): string[] =>
    messages.flatMap(({ topic, body }) => faultsIn(topic, JSON.parse(body)))

  /** What the latest change of that topic sends. */
  async function sent(topic: string): Promise<Record<string, never>> {
    const message = (await captured.messages()).find((each) => each.topic === topic)
    return JSON.parse(message?.body ?? "null") as Record<string, never>
  }

  it("describes every message of the fixture domain, created, updated and deleted", async () => {
    const { manager } = captured.dataSource
    await captured.messages()

    await withChangeContext({ userName: "alice", tenant: "blue" }, () => loadDataset(manager))
    await manager.save(Device, { id: datasetKeys.devices.switch, name: "sw1b", tags: [{ id: datasetKeys.tags.lab }] })
    const shift = { place: "berlin", number: "1" }
    await manager.save(Shift, { ...shift, rotas: await manager.save(Rota, [{ name: "early" }, { name: "late" }]) })
    await manager.createQueryBuilder().relation(Rota, "reliefs").of(1).add(2)
    await manager.updateAll(Device, { status: "retired", site: null, meta: { rack: [1, "b"] } })
    await manager.updateAll(Site, { address: { city: null }, contacts: ["noc@example.org"], openedOn: "2020-02-29" })
    await manager.updateAll(User, { email: null, preferences: { theme: "light" } })
    await manager.softDelete(IPAddress, datasetKeys.addresses.loose)
    const { userId, projectId, roleId } = await manager.findOneByOrFail(RoleAssignment, {})
    await manager.insert(AssignmentNote, [
      { text: "both", assignment: { userId, projectId, roleId }, site: { slug: "ber1" } },
      { text: "neither" },
    ])
    for (const entity of [AssignmentNote, RoleAssignment, Trust])
      await manager.createQueryBuilder().delete().from(entity).execute()
    const messages = await captured.messages()

    expect(faultsOf(messages)).toEqual([])
    expect(new Set(messages.map(({ topic }) => topic)).size).toBeGreaterThan(20)
    expect(messages.map(({ topic }) => topic)).toContain("inventory.retired.dcim.device")
  })

  it("describes what a record has of every column type", async () => {
    const { manager } = captured.dataSource
    await captured.messages()

    for (const { entity, values } of columnSamples) {
      for (const [property, samples] of Object.entries(values)) {
        for (const sample of samples.filter((value) => !isBeforeChrist(value))) {
          const { identifiers } = await manager.insert(entity, { [property]: sample })
          await manager.update(entity, identifiers[0] as object, { [property]: null })
          await manager.delete(entity, identifiers[0] as object)
        }
      }
    }
    const messages = await captured.messages()

    expect([...new Set(faultsOf(messages))]).toEqual([])
    expect(messages.length).toBeGreaterThan(250)
  })

  it("does not describe the updates of an immutable entity, nor transitions that stay in the process", () => {
    const topics = Object.keys(describeDataSource(captured.dataSource).channels)

    expect(topics.filter((topic) => topic.endsWith(".identity.trust"))).toEqual([
      "inventory.create.identity.trust",
      "inventory.delete.identity.trust",
    ])
    expect(topics.filter((topic) => topic.endsWith(".dcim.device"))).toEqual([
      "inventory.create.dcim.device",
      "inventory.update.dcim.device",
      "inventory.delete.dcim.device",
      "inventory.retired.dcim.device",
    ])
  })

  it.each<[string, (event: Record<string, Record<string, unknown>>) => object, string]>([
    [
      "an attribute of another type",
      (event) => ({ ...event, postchange: { ...event["postchange"], id: "1" } }),
      "/postchange/id must be integer",
    ],
    [
      "a status that is none",
      (event) => ({ ...event, postchange: { ...event["postchange"], status: "lost" } }),
      "/postchange/status must be equal to one of the allowed values",
    ],
    [
      "null where the column holds none",
      (event) => ({ ...event, postchange: { ...event["postchange"], name: null } }),
      "/postchange/name must be string",
    ],
    [
      "a date that is none",
      (event) => ({ ...event, postchange: { ...event["postchange"], createdAt: "yesterday" } }),
      `/postchange/createdAt must match format "date-time"`,
    ],
    [
      "an attribute that nobody declared",
      (event) => ({ ...event, postchange: { ...event["postchange"], secret: "x" } }),
      "/postchange must NOT have additional properties",
    ],
    ["no context", ({ context: _context, ...event }) => event, " must have required property 'context'"],
    [
      "a request id that is no UUID",
      (event) => ({ ...event, context: { ...event["context"], request_id: "7" } }),
      `/context/request_id must match format "uuid"`,
    ],
    ["an old row at a create", (event) => ({ ...event, prechange: event["postchange"] }), "/prechange must be null"],
  ])("objects to %s", async (_what, spoil, fault) => {
    await captured.messages()
    await captured.dataSource.manager.insert(Device, { name: "sw9" })
    const event = await sent("inventory.create.dcim.device")

    expect(faultsIn("inventory.create.dcim.device", event)).toEqual([])
    expect(faultsIn("inventory.create.dcim.device", spoil(event))).toEqual([`inventory.create.dcim.device${fault}`])
  })

  it("sends what ChangeEventOf says of a device", async () => {
    await captured.messages()
    await captured.dataSource.manager.insert(Device, { name: "sw10" })
    const event = (await sent("inventory.create.dcim.device")) as unknown as ChangeEventOf<Device>
    const names: Readonly<Record<keyof NonNullable<typeof event.postchange>, true>> = {
      id: true,
      name: true,
      serial: true,
      status: true,
      position: true,
      price: true,
      meta: true,
      comments: true,
      site: true,
      primaryAddress: true,
      createdAt: true,
      updatedAt: true,
      version: true,
    }

    expect(Object.keys(event.postchange ?? {}).sort()).toEqual(Object.keys(names).sort())
  })
})
