import { Entity, PrimaryColumn } from "typeorm"
import { Site } from "../../../fixtures/inventory/site"
import { CaptureChanges, Sensitive } from "../../../src"
import { describeOnEveryPostgres } from "../../servers/test-database"
import { captureDatabase } from "../../support/captured-database"
import { recordingBroker } from "../../support/recording-broker"
import { outboxDatabase, type OutboxDatabase } from "../../support/outbox-database"
import { triggeredDatabase } from "../../support/triggered-database"
import { withClient } from "../../support/with-client"

@CaptureChanges({ capture: "triggers" })
@Entity()
class Decorated {
  @PrimaryColumn({ type: "int" })
  id!: number
}

@CaptureChanges({ capture: "triggers" })
@Entity()
class SecretKey {
  @Sensitive("mask")
  @PrimaryColumn({ type: "text" })
  token!: string
}

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

  it("is refused with a code for an entity whose key is sensitive", async () => {
    outbox = await outboxDatabase(version, { dataSource: { entities: [SecretKey] } })
    await outbox.dataSource.query("SELECT 1")

    expect(outbox.logged).toEqual([
      expect.stringMatching(/ENTITY_UNCAPTURED: SecretKey is not captured: its key \(token\) is sensitive/),
    ])
  })
})

describeOnEveryPostgres((version) => {
  it("is refused with a code without the outbox, also where a decorator asks for it", async () => {
    const captured = await captureDatabase(version, { dataSource: { entities: [Decorated] } })
    await captured.dataSource.query("SELECT 1")

    expect(captured.logged).toEqual([
      expect.stringMatching(
        /OPTIONS_INVALID: Decorated is captured by triggers .* needs the option `delivery: "outbox"`/,
      ),
    ])
    await captured.close()
  })
})
