import { execFile } from "node:child_process"
import { join } from "node:path"
import { promisify } from "node:util"
import { Site } from "../../../fixtures/inventory/site"
import { diagnosticsChannels, onDiagnostics } from "../../../src"
import { createChangeLog } from "../../../src/outbox/change-log-schema"
import { diagnostics } from "../../../src/runtime/diagnostics"
import { memoryBroker } from "../../../src/testing"
import { captureDatabase } from "../../support/captured-database"
import { outboxDatabase } from "../../support/outbox-database"
import { createTestDatabase } from "../../servers/test-database"

const program = join(__dirname, "programs/throwing-subscriber.ts")

describe("a subscriber that throws", () => {
  it.each(["direct", "outbox"])(
    "disturbs neither the write nor its %s delivery, and gets its error back from Node",
    async (delivery) => {
      const database = await createTestDatabase(18)
      const setUp = await database.dataSource()
      for (const statement of createChangeLog()) await setUp.query(statement)

      const environment = { ...process.env, URL_OF_DATABASE: database.url, DELIVERY: delivery }
      const run = promisify(execFile)(process.execPath, ["--import", "tsx", program], { env: environment })
      const { ids, topics, thrown } = JSON.parse((await run).stdout) as Record<string, unknown[]>
      await database.drop()

      expect(ids).toHaveLength(3)
      expect(topics).toEqual(["create.dcim.site", "create.dcim.site", "create.dcim.site"])
      const heard = ["committed", "published", ...(delivery === "outbox" ? ["relay"] : [])] as const
      expect(thrown?.sort()).toEqual(heard.map((name) => diagnosticsChannels[name as "relay"]).sort())
    },
  )
})

describe("without subscribers", () => {
  const published = () => Object.values(diagnostics).map((channel) => jest.spyOn(channel, "publish"))
  afterEach(() => jest.restoreAllMocks())

  it("no message is made by direct delivery", async () => {
    const spies = published()
    const captured = await captureDatabase(18)
    await captured.dataSource.transaction((manager) => manager.insert(Site, { name: "a", slug: "a" }))
    await captured.dataSource.query("UPDATE dcim.site SET name = 'b'")
    expect(await captured.messages()).toHaveLength(1)
    await captured.close()

    expect(spies.flatMap(({ mock }) => mock.calls)).toEqual([])
  })

  it("no message is made by the outbox and its relay", async () => {
    const spies = published()
    const log = await outboxDatabase(18, { changes: { brokers: { memory: memoryBroker() } } })
    await log.changes.startRelay()
    await log.dataSource.manager.insert(Site, { name: "a", slug: "a" })
    await log.changes.flush()
    expect(log.changes.status().brokers["memory"]?.delivered).toBe(1)
    await log.close()

    expect(spies.flatMap(({ mock }) => mock.calls)).toEqual([])
  })

  it("nothing is heard any more by one that has ended", async () => {
    const heard: unknown[] = []
    const stop = onDiagnostics("committed", (message) => heard.push(message))
    const captured = await captureDatabase(18)
    const insert = (name: string) => captured.dataSource.manager.insert(Site, { name, slug: name })
    await insert("a")
    stop()
    await insert("b")
    await captured.close()

    expect(heard).toHaveLength(1)
    expect(diagnostics.committed.hasSubscribers).toBe(false)
  })
})
