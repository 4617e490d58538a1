import { Tag } from "../../../fixtures/inventory/tag"
import { Site } from "../../../fixtures/inventory/site"
import { loadDataset } from "../../../fixtures/dataset"
import { describeOnEveryPostgres } from "../../servers/test-database"
import { captureDatabase, type CapturedDatabase } from "../../support/captured-database"
import { expectedChanges, toldChange } from "../../support/expected-changes"
import { installGroundTruth } from "../../support/ground-truth"

const WRITERS = 400

describeOnEveryPostgres((version) => {
  let captured: CapturedDatabase

  beforeEach(async () => {
    captured = await captureDatabase(version, { dataSource: { poolSize: 20 } })
  })
  afterEach(() => captured.close())

  it.each(["without a transaction", "each in a transaction"])(
    "tells 400 concurrent increments of one row, %s, as a chain without a gap and in the order of the commits",
    async (mode) => {
      await loadDataset(captured.dataSource.manager)
      const sites = captured.dataSource.getRepository(Site)
      const slug = (await sites.find({ take: 1 }))[0]?.slug as string
      await sites.update({ slug }, { asn: "64512" })
      await captured.events()
      const increment = (): Promise<unknown> =>
        mode === "without a transaction"
          ? sites.increment({ slug }, "asn", 1)
          : captured.dataSource.transaction((manager) => manager.increment(Site, { slug }, "asn", 1))
      await Promise.all(Array.from({ length: WRITERS }, increment))

      const events = await captured.events()
      expect(events).toHaveLength(WRITERS)
      for (const [index, event] of events.slice(1).entries()) expect(event.prechange).toEqual(events[index]?.postchange)
    },
  )

  it("tells 400 concurrent upserts of one row as one create and 399 updates of it", async () => {
    const truth = await installGroundTruth(captured.database.url)
    const tags = captured.dataSource.getRepository(Tag)
    const colors = Array.from({ length: WRITERS }, (_, index) => index.toString(16).padStart(6, "0"))
    await Promise.all(colors.map((color) => tags.upsert({ name: "hot", color }, ["name"])))

    const events = await captured.events()
    expect(events.filter((event) => event.action === "create")).toHaveLength(1)
    expect(events.filter((event) => event.action === "update")).toHaveLength(WRITERS - 1)
    const asTexts = (changes: readonly object[]): string[] => changes.map((change) => JSON.stringify(change)).sort()
    const expected = await expectedChanges(captured.dataSource, await truth.changesSince())
    expect(asTexts(events.map(toldChange))).toEqual(asTexts(expected))
  })
})
