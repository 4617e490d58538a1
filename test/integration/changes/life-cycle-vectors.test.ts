import vectors from "../../../fixtures/vectors/request-life-cycle.json"
import { Device } from "../../../fixtures/inventory/device"
import { Site } from "../../../fixtures/inventory/site"
import { withChangeContext, type EventBroker } from "../../../src"
import { memoryBroker } from "../../../src/testing"
import { describeOnEveryPostgres } from "../../servers/test-database"
import { captureDatabase, type CapturedDatabase } from "../../support/captured-database"

type Attributes = Readonly<Record<string, unknown>> | null

interface Payload {
  readonly prechange: Attributes
  readonly postchange: Attributes
  readonly differences: { readonly added: Attributes; readonly removed: Attributes }
  readonly context: Readonly<Record<string, unknown>>
}

interface VectorEvent {
  readonly topic: string
  readonly payload: Payload
}

interface Vector {
  readonly id: string
  readonly input: { readonly given: { readonly existing?: unknown }; readonly operations: readonly Operation[] }
  readonly expected: { readonly events: readonly VectorEvent[] }
}

interface Operation {
  readonly insert?: Partial<Device>
  readonly save?: Partial<Device>
  readonly delete?: true
}

const REQUEST_ID = "cccccccc-0000-4000-8000-000000000001"

/** What both worlds' devices have: the seed's status is a foreign key, its labels a many-to-many relation (label-vectors.test.ts). */
const shared = ["name", "serial", "position", "meta"]

function vector(id: string): Vector {
  const found = (vectors as unknown as readonly Vector[]).find((candidate) => candidate.id === id)
  if (!found) throw new Error(`there is no vector ${id}`)
  return found
}

function pick(attributes: Attributes): Attributes {
  return attributes && Object.fromEntries(Object.entries(attributes).filter(([name]) => shared.includes(name)))
}

/** The parts of a payload that the vectors and the fixture domain have in common. The design changes the timestamp's form. */
function comparable({ topic, payload }: VectorEvent): object {
  const { user_name, request_id, change_context_detail } = payload.context
  return {
    topic,
    prechange: pick(payload.prechange),
    postchange: pick(payload.postchange),
    added: pick(payload.differences.added),
    removed: pick(payload.differences.removed),
    context: { user_name, request_id, change_context_detail },
  }
}

describeOnEveryPostgres((version) => {
  let captured: CapturedDatabase

  beforeEach(async () => {
    captured = await captureDatabase(version, { changes: { topicPrefix: "nautobot" } })
  })
  afterEach(() => captured.close())

  const devices = () => captured.dataSource.getRepository(Device)

  async function existing(given: unknown): Promise<Device> {
    const { name, serial, position, meta } = (given ?? { name: "sw1", serial: "A1", position: 1 }) as Device
    const device = await devices().save(devices().create({ name, serial, position, meta: meta ?? {} }))
    await captured.messages()
    return device
  }

  const inContext = <T>(work: () => Promise<T>): Promise<T> =>
    withChangeContext({ userName: "alice", requestId: REQUEST_ID, changeContextDetail: "dcim:device_edit" }, work)

  async function run(operations: readonly Operation[], device: Device): Promise<void> {
    for (const operation of operations) {
      if (operation.insert)
        Object.assign(device, await devices().save(devices().create({ meta: {}, ...operation.insert })))
      if (operation.save) await devices().save(Object.assign(device, operation.save))
      if (operation.delete) await devices().delete(device.id)
    }
  }

  async function told(): Promise<object[]> {
    const messages = await captured.messages()
    return messages.map(({ topic, body }) => comparable({ topic, payload: JSON.parse(body) as Payload }))
  }

  async function replay(id: string): Promise<{ told: object[]; expected: object[] }> {
    const { input, expected } = vector(id)
    const device = input.given.existing ? await existing(input.given.existing) : new Device()
    await inContext(() => run(input.operations, device))
    return { told: await told(), expected: expected.events.map(comparable) }
  }

  it.each([
    ["nb-request-01", "create"],
    ["nb-request-02", "update"],
    ["nb-request-05", "nested JSON change"],
    ["nb-request-07", "value to null"],
    ["nb-request-08", "null to value, 0 included"],
    ["nb-request-09", "delete"],
    ["nb-request-16", "create and delete in one request: two events"],
  ])("%s: %s, as the seed", async (id) => {
    const { told: got, expected } = await replay(id)
    expect(got).toEqual(expected)
  })

  it("nb-request-06: a foreign key is the key of the row it points to (the design), where the seed nests the row", async () => {
    const [ams, fra] = await captured.dataSource.getRepository(Site).save([
      { name: "ams", slug: "ams", address: { street: null, city: null, country: null } },
      { name: "fra", slug: "fra", address: { street: null, city: null, country: null } },
    ] as Site[])
    const device = await existing(undefined)
    await devices().save(Object.assign(device, { site: ams }))
    await captured.messages()
    await devices().save(Object.assign(device, { site: fra }))

    const [event] = await captured.events()
    expect(event?.differences).toEqual({ added: { site: fra?.id }, removed: { site: ams?.id } })
  })

  it.each([
    ["nb-request-13", "create then update", ["create", "update"]],
    ["nb-request-14", "update twice", ["update", "update"]],
    ["nb-request-18", "update then delete", ["update", "delete"]],
  ])("%s: %s gives an event each (the design), where the seed folds them into one", async (id, _, actions) => {
    const { input } = vector(id)
    const device = input.given.existing ? await existing(input.given.existing) : new Device()
    await inContext(() => run(input.operations, device))

    expect((await captured.events()).map((event) => event.action)).toEqual(actions)
  })

  it("nb-request-36: an exception that rolls back gives no event, as the seed", async () => {
    const device = await existing(undefined)
    const work = inContext(() =>
      captured.dataSource.transaction(async (manager) => {
        await manager.save(Object.assign(device, { name: "x" }))
        throw new Error("boom")
      }),
    )

    await expect(work).rejects.toThrow("boom")
    expect(await told()).toEqual(vector("nb-request-36").expected.events)
  })

  it("nb-request-39: a transaction rolled back after its context gives no event (the design), where the seed gives a phantom", async () => {
    const device = await existing(undefined)
    const work = captured.dataSource.transaction(async (manager) => {
      await inContext(() => manager.save(Object.assign(device, { name: "x" })))
      throw new Error("later failure")
    })

    await expect(work).rejects.toThrow("later failure")
    expect(await told()).toEqual([])
  })

  it("nb-request-40: a good save after a savepoint rollback gives its event (the design), where the seed loses it", async () => {
    const device = await existing(undefined)
    await captured.dataSource.transaction(async (manager) => {
      const inner = manager.transaction(async (nested) => {
        await nested.update(Device, device.id, { name: "x" })
        throw new Error("inner")
      })
      await inner.catch(() => undefined)
      await manager.update(Device, device.id, { name: "y" })
    })

    expect((await captured.events()).map((event) => event.differences)).toEqual([
      { added: { name: "y" }, removed: { name: "sw1" } },
    ])
  })

  it.each([
    ["nb-request-42", "first"],
    ["nb-request-43", "second"],
  ])(
    "%s: when the %s broker raises, the other gets everything and nothing is raised (the design)",
    async (_, position) => {
      const broken: EventBroker = { publish: async () => Promise.reject(new Error("broker down")) }
      const recorder = memoryBroker()
      const order = position === "first" ? { broken, recorder } : { recorder, broken }
      for (const [name, broker] of Object.entries(order)) {
        captured.changes.registerBroker(name, broker, { delivery: { maxAttempts: 1, retryDelayMs: 0 } })
      }
      const device = await existing(undefined)
      const other = await existing({ name: "sw2", serial: null, position: null })
      recorder.clear()
      await devices().save(Object.assign(device, { name: "x" }))
      await devices().save(Object.assign(other, { name: "z" }))
      await captured.changes.flush()

      expect(recorder.messages.map((message) => JSON.parse(message.body).differences.added)).toEqual([
        { name: "x" },
        { name: "z" },
      ])
      expect(captured.changes.status().brokers["broken"]).toMatchObject({
        failed: 4,
        lastError: { message: "broker down" },
      })
    },
  )

  it("nb-request-54: each event has the context of its own statement, in the order of the commits", async () => {
    const device = await existing(undefined)
    const other = await existing({ name: "sw2", serial: null, position: null })
    await withChangeContext({ changeContextDetail: "outer" }, async () => {
      await devices().save(Object.assign(device, { name: "x" }))
      await withChangeContext({ changeContextDetail: "inner" }, () =>
        devices().save(Object.assign(other, { name: "z" })),
      )
      await devices().save(Object.assign(device, { serial: "q" }))
    })

    const contexts = (await captured.events()).map((event) => event.context)
    expect(contexts.map((context) => context["change_context_detail"])).toEqual(["outer", "inner", "outer"])
    expect(contexts[0]?.["request_id"]).toBe(contexts[2]?.["request_id"])
    expect(contexts[0]?.["request_id"]).not.toBe(contexts[1]?.["request_id"])
  })

  it("nb-request-55: events of two rows come in the order of their writes", async () => {
    await inContext(() =>
      captured.dataSource.transaction(async (manager) => {
        await manager.insert(Device, { name: "a" })
        await manager.insert(Device, { name: "b" })
        await manager.update(Device, { name: "a" }, { serial: "1" })
      }),
    )

    expect((await captured.events()).map((event) => event.postchange?.["name"])).toEqual(["a", "b", "a"])
  })
})
