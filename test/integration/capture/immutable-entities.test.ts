import type { DataSource, Repository } from "typeorm"
import { Tag } from "../../../fixtures/inventory/tag"
import { IPAddress } from "../../../fixtures/inventory/ip-address"
import { describeOnEveryPostgres } from "../../servers/test-database"
import { captureDatabase, type CapturedDatabase } from "../../support/captured-database"
import { installGroundTruth, type GroundTruth } from "../../support/ground-truth"

describeOnEveryPostgres((version) => {
  let captured: CapturedDatabase
  let dataSource: DataSource
  let truth: GroundTruth
  let tags: Repository<Tag>
  let tag: Tag

  beforeAll(async () => {
    captured = await captureDatabase(version, {
      changes: {
        entities: [
          { entity: Tag, immutable: true },
          { entity: IPAddress, immutable: true },
        ],
      },
    })
    dataSource = captured.dataSource
    tags = dataSource.getRepository(Tag)
    truth = await installGroundTruth(captured.database.url)
  })
  afterAll(() => captured.close())
  beforeEach(async () => {
    await tags.deleteAll()
    tag = await tags.save({ name: "fixed", color: "000000" } as Tag)
    await captured.events()
    await truth.reset()
  })

  const color = "ffffff"
  const updates: Record<string, () => Promise<unknown>> = {
    "save()": () => tags.save({ ...tag, color }),
    "update() by id": () => tags.update(tag.id, { color }),
    "update() by criteria": () => tags.update({ name: "fixed" }, { color }),
    "updateAll()": () => tags.updateAll({ color }),
    "a query builder's update": () => dataSource.createQueryBuilder().update(Tag).set({ color }).execute(),
    "upsert()": () => tags.upsert({ name: "fixed", color }, ["name"]),
    "save() in a transaction": () => dataSource.transaction((manager) => manager.save(Tag, { ...tag, color })),
    "listeners: false": () => tags.save({ ...tag, color }, { listeners: false }),
  }

  it.each(Object.keys(updates))("refuses %s of an immutable entity before anything is written", async (way) => {
    const refused = updates[way]?.()

    await expect(refused).rejects.toMatchObject({ code: "IMMUTABLE_ENTITY", details: { entity: "Tag" } })
    expect(await truth.changesSince()).toEqual([])
    expect(await captured.events()).toEqual([])
  })

  it("tells its creation and its deletion", async () => {
    const other = await tags.save({ name: "other" } as Tag)
    await tags.createQueryBuilder().insert().values({ name: "fixed" }).orIgnore().execute()
    await tags.remove(other)

    expect((await captured.events()).map((event) => event.topic)).toEqual(["create.extras.tag", "delete.extras.tag"])
  })

  it("takes a soft-remove for a deletion", async () => {
    const addresses = dataSource.getRepository(IPAddress)
    const address = await addresses.save(addresses.create({ address: "192.0.2.1/32" }))
    await addresses.softRemove(address)

    expect((await captured.events()).map((event) => event.action)).toEqual(["create", "delete"])
  })
})
