import { Site } from "../../../fixtures/inventory/site"
import { describeOnEveryPostgres } from "../../servers/test-database"
import { outboxDatabase, type OutboxDatabase } from "../../support/outbox-database"

describeOnEveryPostgres((version) => {
  let log: OutboxDatabase

  beforeEach(async () => void (log = await outboxDatabase(version)))
  afterEach(() => log.close())

  it("tells each event of a transaction once where two DataSources are of its database", async () => {
    const second = await log.database.dataSource({ subscribers: [log.changes.subscriber] })
    await log.dataSource.manager.insert(Site, { name: "a", slug: "a" })
    const { events } = await log.changes.history(Site, 1)
    const id = events[0]?.transactionId as string

    expect(await log.changes.transaction(id)).toHaveLength(1)
    expect(await log.changes.transaction(id, { dataSource: second })).toHaveLength(1)
    await expect(log.changes.transaction(id, { dataSource: log.observer })).rejects.toMatchObject({
      code: "DATA_SOURCE_NOT_ATTACHED",
    })
  })

  it("knows no transaction whose id is greater than any can be", async () => {
    expect(await log.changes.transaction("9".repeat(20))).toEqual([])
    expect(await log.changes.transaction("9".repeat(19))).toEqual([])
  })
})
