import vectors from "../../../fixtures/vectors/request-life-cycle.json"
import { Device } from "../../../fixtures/inventory/device"
import { Tag } from "../../../fixtures/inventory/tag"
import { describeOnEveryPostgres } from "../../servers/test-database"
import { captureDatabase, type CapturedDatabase } from "../../support/captured-database"

type Attributes = Readonly<Record<string, unknown>> | null

interface Payload {
  readonly prechange: Attributes
  readonly postchange: Attributes
  readonly differences: { readonly added: Attributes; readonly removed: Attributes }
}

interface VectorEvent {
  readonly topic: string
  readonly payload: Payload
}

interface LabelVector {
  readonly id: string
  readonly input: {
    readonly given: { readonly existing: (Partial<Device> & { readonly labels?: readonly string[] }) | null }
    readonly operations: readonly { readonly m2m_add?: readonly string[]; readonly m2m_set?: readonly string[] }[]
  }
  readonly expected: { readonly events: readonly VectorEvent[] }
}

/** The seed's label T1. */
const T1 = "bbbbbbbb-0000-4000-8000-000000000001"

const shared = ["name", "serial", "position", "meta"]

function vector(id: string): LabelVector {
  return (vectors as unknown as readonly LabelVector[]).find((candidate) => candidate.id === id) as LabelVector
}

/** What both worlds' devices have; the seed's labels are our tags. */
function pick(attributes: Attributes): Attributes {
  if (!attributes) return null
  const both = Object.fromEntries(Object.entries(attributes).filter(([name]) => shared.includes(name)))
  return { ...both, labels: attributes["labels"] ?? attributes["tags"] }
}

function comparable({ topic, payload: { prechange, postchange, differences } }: VectorEvent): object {
  return {
    topic,
    prechange: pick(prechange),
    postchange: pick(postchange),
    added: pick(differences.added),
    removed: pick(differences.removed),
  }
}

const tagged = (ids: readonly string[] = []): Tag[] => ids.map(() => ({ id: T1 }) as Tag)

describeOnEveryPostgres((version) => {
  let captured: CapturedDatabase

  beforeEach(async () => {
    captured = await captureDatabase(version, { changes: { topicPrefix: "nautobot" } })
    await captured.dataSource.manager.insert(Tag, { id: T1, name: "T1" })
    await captured.messages()
  })
  afterEach(() => captured.close())

  async function told(): Promise<object[]> {
    const messages = await captured.messages()
    return messages.map(({ topic, body }) => comparable({ topic, payload: JSON.parse(body) as Payload }))
  }

  it.each([
    ["nb-request-22", "a label added"],
    ["nb-request-25", "labels set to nothing"],
  ])("%s: %s, as the seed", async (id) => {
    const { input, expected } = vector(id)
    const devices = captured.dataSource.getRepository(Device)
    const { labels, name, serial, position, meta } = input.given.existing ?? {}
    const device = await devices.save(devices.create({ name, serial, position, meta, tags: tagged(labels) } as Device))
    await captured.messages()
    for (const { m2m_add, m2m_set } of input.operations) {
      await devices.save({ id: device.id, tags: tagged(m2m_add ?? m2m_set) })
    }

    expect(await told()).toEqual(expected.events.map(comparable))
  })

  it("nb-request-21: a label added to what the same transaction creates, as the seed in one request", async () => {
    await captured.dataSource.transaction(async (manager) => {
      const { id } = await manager.save(manager.create(Device, { name: "sw1", meta: {} }))
      await manager.createQueryBuilder().relation(Device, "tags").of(id).add(T1)
    })

    expect(await told()).toEqual(vector("nb-request-21").expected.events.map(comparable))
  })
})
