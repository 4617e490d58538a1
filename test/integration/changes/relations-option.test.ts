import type { EntityManager } from "typeorm"
import { datasetKeys, loadDataset } from "../../../fixtures/dataset"
import { fixtureEntities } from "../../../fixtures/fixture-entities"
import { Rota } from "../../../fixtures/hostile/rota"
import { Shift } from "../../../fixtures/hostile/shift"
import { Group } from "../../../fixtures/identity/group"
import { Device } from "../../../fixtures/inventory/device"
import { Tag } from "../../../fixtures/inventory/tag"
import type { ChangeEventsOptions } from "../../../src"
import { cadf } from "../../../src/formats/cadf"
import { keystone } from "../../../src/formats/keystone"
import { memoryBroker } from "../../../src/testing"
import { describeOnEveryPostgres } from "../../servers/test-database"
import { captureDatabase, type CapturedDatabase } from "../../support/captured-database"
import { expectedChanges, toldChange } from "../../support/expected-changes"
import { installGroundTruth } from "../../support/ground-truth"

const { devices, tags, groups, users } = datasetKeys

const tagsOf = (manager: EntityManager) => manager.createQueryBuilder().relation(Device, "tags").of(devices.spare)

describeOnEveryPostgres((version) => {
  let captured: CapturedDatabase

  async function capture(changes: Omit<ChangeEventsOptions, "brokers" | "logger"> = {}): Promise<EntityManager> {
    captured = await captureDatabase(version, { changes, dataSource: { entities: [...fixtureEntities, Rota, Shift] } })
    await loadDataset(captured.dataSource.manager)
    await captured.events()
    return captured.dataSource.manager
  }
  afterEach(() => captured.close())

  describe("the option `relations`", () => {
    it('"both" tells either side, with keys of several columns and of the same table', async () => {
      const manager = await capture({ relations: "both" })
      const truth = await installGroundTruth(captured.database.url)
      const [first, second] = await manager.save(Rota, [{ name: "a" }, { name: "b" }])
      await manager.save(Shift, { place: "here", number: "10", rotas: [first as Rota] })
      await manager.save(Shift, { place: "here", number: "9", rotas: [first as Rota, second as Rota] })
      await manager.save(Rota, { id: first?.id as number, reliefs: [first as Rota, second as Rota] })
      await tagsOf(manager).add([tags.core, tags.lab])
      await manager.remove(await manager.findOneByOrFail(Tag, { id: tags.lab }))
      const events = await captured.events()

      const asTexts = (changes: readonly object[]): string[] =>
        changes.map((change) => JSON.stringify(change, sorted)).sort()
      const expected = await expectedChanges(captured.dataSource, await truth.changesSince(), { relations: "both" })
      expect(asTexts(events.map(toldChange))).toEqual(asTexts(expected))
      expect(events.find(({ postchange }) => postchange && "shifts" in postchange)).toBeDefined()
    })

    it('"off" tells nothing of them, and reports nothing', async () => {
      const manager = await capture({ relations: "off" })
      await tagsOf(manager).add(tags.core)

      expect(await captured.events()).toEqual([])
      expect(captured.changes.status().uncaptured).toEqual({ statements: 0, rows: 0 })
    })

    it("of an entity is for its own lists", async () => {
      const rest = fixtureEntities.filter((entity) => entity !== Tag && entity !== Device && entity !== Group)
      const manager = await capture({
        entities: [
          ...rest,
          { entity: Tag, relations: "both" },
          { entity: Device, relations: "off" },
          { entity: Group, sensitive: { members: "mask" } },
        ],
      })
      await tagsOf(manager).add(tags.core)
      await manager.createQueryBuilder().relation(Group, "members").of(groups.operators).add(users.carol)

      expect((await captured.events()).map(({ model, differences }) => [model, differences])).toEqual([
        ["tag", { added: { devices: [devices.router, devices.spare] }, removed: { devices: [devices.router] } }],
        ["group", { added: { members: ["***", "***", "***"] }, removed: { members: ["***", "***"] } }],
      ])
    })
  })

  it("names the users who come to a group and leave it, in the formats of Keystone", async () => {
    const manager = await capture()
    const options = { actors: { group: { members: "user" } } }
    const [inKeystone, inCadf] = [memoryBroker(), memoryBroker()]
    captured.changes.registerBroker("keystone", inKeystone, { format: keystone(options) })
    captured.changes.registerBroker("cadf", inCadf, { format: cadf(options) })
    const members = () => manager.createQueryBuilder().relation(Group, "members").of(groups.operators)
    await members().add(users.carol)
    await members().remove(users.alice)
    await captured.changes.flush()

    const actors = [
      { resource_info: groups.operators, actor_id: users.carol, actor_type: "user", actor_operation: "added" },
      { resource_info: groups.operators, actor_id: users.alice, actor_type: "user", actor_operation: "removed" },
    ]
    for (const broker of [inKeystone, inCadf]) {
      const told = broker.messages.map(({ body }) => JSON.parse(body) as { event_type: string; payload: object })
      expect(told.map(({ event_type }) => event_type)).toEqual(["identity.group.updated", "identity.group.updated"])
      expect(told.map(({ payload }) => payload)).toMatchObject(actors)
    }
  })
})

function sorted(_name: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).sort())
}
