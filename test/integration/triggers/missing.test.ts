import { Site } from "../../../fixtures/inventory/site"
import { describeOnEveryPostgres } from "../../servers/test-database"
import { recordingBroker } from "../../support/recording-broker"
import { outboxDatabase, type OutboxDatabase } from "../../support/outbox-database"
import { triggeredDatabase } from "../../support/triggered-database"
import { withClient } from "../../support/with-client"

const changes = { entities: [{ entity: Site, capture: "triggers" as const }] }

describeOnEveryPostgres((version) => {
  let outbox: OutboxDatabase

  afterEach(() => outbox.close())

  it("reports an entity whose table lacks the triggers, and each write to it", async () => {
    outbox = await outboxDatabase(version, { changes })
    await outbox.dataSource.manager.insert(Site, { name: "a", slug: "a" })

    expect(outbox.logged.join("\n")).toMatch(/ENTITY_UNCAPTURED: Site is not captured: its table has not all triggers/)
    expect(outbox.logged.join("\n")).toMatch(/a write to "dcim\.site" made no events: its table has not all triggers/)
    expect(outbox.changes.status().uncaptured).toEqual({ statements: 1, rows: 1 })
  })

  it("has what triggers write delivered by the relay, whoever wrote it", async () => {
    outbox = await triggeredDatabase(version, { changes })
    const broker = recordingBroker()
    outbox.changes.registerBroker("broker", broker)
    await outbox.changes.startRelay()
    await outbox.dataSource.manager.insert(Site, { name: "a", slug: "a" })
    await withClient(outbox.database.url, (client) => client.query("UPDATE dcim.site SET name = 'b'"))
    await broker.untilAccepted(2)

    expect(broker.accepted.map(({ topic, key }) => [topic, key])).toEqual([
      ["create.dcim.site", "dcim.site:1"],
      ["update.dcim.site", "dcim.site:1"],
    ])
    expect(broker.accepted.map(({ body }) => (JSON.parse(body) as { context: object }).context)).toEqual([
      expect.objectContaining({ change_context: "ORM" }),
      expect.objectContaining({ change_context: "Unknown", user_name: null }),
    ])
    expect((await outbox.changes.history(Site, 1)).events).toHaveLength(2)
  })
})
