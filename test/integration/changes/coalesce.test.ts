import fc from "fast-check"
import type { DataSource, EntityManager } from "typeorm"
import { datasetKeys, loadDataset } from "../../../fixtures/dataset"
import { Device } from "../../../fixtures/inventory/device"
import { Tag } from "../../../fixtures/inventory/tag"
import { describeOnEveryPostgres } from "../../servers/test-database"
import { captureDatabase } from "../../support/captured-database"
import { outboxDatabase } from "../../support/outbox-database"

type Row = Readonly<Record<string, unknown>>

interface Told {
  readonly action: string
  readonly topic: string
  readonly key: string
  readonly prechange: Row | null
  readonly postchange: Row | null
}

interface Database {
  readonly dataSource: DataSource
  /** Those since the last call. */
  events(): Promise<readonly Told[]>
  close(): Promise<void>
}

const transitions = { color: { ff0000: "alarmed" } }
const changes = { coalesce: "transaction", entities: [Device, { entity: Tag, transitions }] } as const

const KEYS = ["a", "b", "c", "d"].map((letter) => `${letter.repeat(8)}-0000-4000-8000-000000000000`)
const [a, b] = KEYS as [string, string]

describe.each(["direct", "outbox"])("with coalesce: transaction, delivered by %s", (mode) => {
  describeOnEveryPostgres((version) => {
    let database: Database

    beforeAll(async () => {
      if (mode === "direct") {
        database = await captureDatabase(version, { changes })
      } else {
        const log = await outboxDatabase(version, { changes })
        let seen = 0
        const events = async (): Promise<readonly Told[]> => {
          const fresh = (await log.events()).slice(seen) as unknown as readonly Told[]
          seen += fresh.length
          return fresh
        }
        database = { dataSource: log.dataSource, events, close: () => log.close() }
      }
      await loadDataset(database.dataSource.manager)
    })
    beforeEach(async () => {
      await database.dataSource.getRepository(Tag).delete(KEYS)
      await database.events()
    })
    afterAll(() => database.close())

    const transaction = (work: (manager: EntityManager) => Promise<unknown>) => database.dataSource.transaction(work)
    const told = async () =>
      (await database.events()).map(({ topic, prechange, postchange }) => [
        topic,
        prechange?.["color"] ?? null,
        postchange?.["color"] ?? null,
      ])

    it("a create and an update are a create", async () => {
      await transaction(async (manager) => {
        await manager.insert(Tag, { id: a, name: "a", color: "111111" })
        await manager.update(Tag, a, { color: "222222" })
      })
      expect(await told()).toEqual([["create.extras.tag", null, "222222"]])
    })

    it("a create and a delete are nothing", async () => {
      await transaction(async (manager) => {
        await manager.insert(Tag, { id: a, name: "a" })
        await manager.delete(Tag, a)
      })
      expect(await told()).toEqual([])
    })

    it("updates are one, there and back none, and a delete shows the row as it was before them", async () => {
      await database.dataSource.getRepository(Tag).insert({ id: a, name: "a", color: "000000" })
      await database.events()
      await transaction(async (manager) => {
        await manager.update(Tag, a, { color: "111111" })
        await manager.update(Tag, a, { color: "222222" })
      })
      await transaction(async (manager) => {
        await manager.update(Tag, a, { color: "111111" })
        await manager.update(Tag, a, { color: "222222" })
      })
      await transaction(async (manager) => {
        await manager.update(Tag, a, { color: "333333" })
        await manager.delete(Tag, a)
      })
      expect(await told()).toEqual([
        ["update.extras.tag", "000000", "222222"],
        ["delete.extras.tag", "222222", null],
      ])
    })

    it("a delete and a create of the same key are an update", async () => {
      await database.dataSource.getRepository(Tag).insert({ id: a, name: "a", color: "000000" })
      await database.events()
      await transaction(async (manager) => {
        await manager.delete(Tag, a)
        await manager.insert(Tag, { id: a, name: "a", color: "111111" })
      })
      expect(await told()).toEqual([["update.extras.tag", "000000", "111111"]])
    })

    it("a row is followed through a change of its key", async () => {
      await database.dataSource.getRepository(Tag).insert({ id: a, name: "a", color: "000000" })
      await database.events()
      await transaction(async (manager) => {
        await manager.update(Tag, a, { id: b })
        await manager.update(Tag, b, { color: "111111" })
        await manager.insert(Tag, { id: a, name: "new", color: "222222" })
      })
      const events = await database.events()
      expect(
        events.map(({ action, prechange, postchange }) => [action, prechange?.["id"], postchange?.["id"]]),
      ).toEqual([
        ["update", a, b],
        ["create", undefined, a],
      ])
    })

    it("names a transition that the whole transaction makes, not one on the way", async () => {
      await database.dataSource.getRepository(Tag).insert([
        { id: a, name: "a", color: "000000" },
        { id: b, name: "b", color: "000000" },
      ])
      await database.events()
      await transaction(async (manager) => {
        await manager.update(Tag, a, { color: "ff0000" })
        await manager.update(Tag, a, { color: "111111" })
        await manager.update(Tag, b, { color: "111111" })
        await manager.update(Tag, b, { color: "ff0000" })
      })
      expect(await told()).toEqual([
        ["update.extras.tag", "000000", "111111"],
        ["update.extras.tag", "000000", "ff0000"],
        ["alarmed.extras.tag", "000000", "ff0000"],
      ])
    })

    it("what a relation lists is in the one event", async () => {
      const { devices, tags } = datasetKeys
      await transaction(async (manager) => {
        await manager.update(Device, devices.spare, { position: 3 })
        await manager.createQueryBuilder().relation(Device, "tags").of(devices.spare).add(tags.core)
        await manager.update(Device, devices.spare, { position: 4 })
      })
      const [event, ...others] = await database.events()
      expect(others).toEqual([])
      expect([event?.prechange?.["tags"], event?.postchange?.["tags"]]).toEqual([[], [tags.core]])
      expect(event?.postchange?.["position"]).toBe(4)
    })

    it("tells of random transactions what became of the table, each row once", async () => {
      const { dataSource } = database
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 10 }), async (steps) => {
          const before = await rowsByKey(dataSource)
          await transaction((manager) => carryOut(manager, steps))
          const after = await rowsByKey(dataSource)
          const events = (await database.events()).filter(({ topic }) => !topic.startsWith("alarmed"))

          expect(applied(before, events)).toEqual(after)
          const pairs = events.map(({ prechange, postchange }) => JSON.stringify([prechange, postchange]))
          expect(pairs.every((pair) => pair.includes("{") && new Set(pairs).size === pairs.length)).toBe(true)
          for (const { prechange } of events)
            if (prechange) expect(before.get(prechange["id"] as string)).toEqual(prechange)
          for (const { postchange } of events)
            if (postchange) expect(after.get(postchange["id"] as string)).toEqual(postchange)
        }),
        { numRuns: 100 },
      )
    })
  })
})

type Step = readonly [what: "upsert" | "update" | "delete" | "rekey" | "undone", key: number, value: number]

const step: fc.Arbitrary<Step> = fc.tuple(
  fc.constantFrom("upsert", "update", "delete", "rekey", "undone"),
  fc.nat(KEYS.length - 1),
  fc.nat(3),
)

let names = 0

async function carryOut(manager: EntityManager, steps: readonly Step[]): Promise<void> {
  for (const [what, index, value] of steps) {
    const id = KEYS[index] as string
    const color = ["000000", "111111", "222222", "ff0000"][value] as string
    if (what === "upsert") await manager.upsert(Tag, { id, name: `tag ${++names}`, color }, ["id"])
    if (what === "update") await manager.update(Tag, id, { color })
    if (what === "delete") await manager.delete(Tag, id)
    if (what === "rekey") await rekey(manager, id, KEYS[value] as string)
    if (what === "undone") await undone(manager, id)
  }
}

async function rekey(manager: EntityManager, from: string, to: string): Promise<void> {
  if (from === to || (await manager.existsBy(Tag, { id: to }))) return
  await manager.update(Tag, from, { id: to })
}

async function undone(manager: EntityManager, id: string): Promise<void> {
  const work = manager.transaction(async (inner) => {
    await inner.delete(Tag, id)
    await inner.insert(Tag, { id, name: `tag ${++names}` })
    throw new Error("undone")
  })
  await expect(work).rejects.toThrow("undone")
}

async function rowsByKey(dataSource: DataSource): Promise<Map<string, unknown>> {
  const rows = await dataSource.getRepository(Tag).findBy(KEYS.map((id) => ({ id })))
  return new Map(rows.map((row) => [row.id, { ...row }]))
}

/** As a whole: rows may have exchanged their keys. */
function applied(rows: ReadonlyMap<string, unknown>, events: readonly Told[]): Map<string, unknown> {
  const result = new Map(rows)
  for (const { prechange } of events) if (prechange) result.delete(prechange["id"] as string)
  for (const { postchange } of events) if (postchange) result.set(postchange["id"] as string, postchange)
  return result
}
