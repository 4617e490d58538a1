import { Site } from "../../../fixtures/inventory/site"
import { outboxDatabase, type OutboxDatabase } from "../../support/outbox-database"
import { recordingBroker } from "../../support/recording-broker"
import { createTestDatabase } from "../../servers/test-database"
import { cliProgram, type CliProgram } from "./cli-program"

const VERSION = 18

describe("change-events, on a change log", () => {
  let log: OutboxDatabase
  let cli: CliProgram

  beforeEach(async () => {
    log = await outboxDatabase(VERSION)
    cli = await cliProgram(log.database.url)
  })
  afterEach(async () => {
    await cli.remove()
    await log.close()
  })

  const insert = (name: string) => log.dataSource.getRepository(Site).insert({ name, slug: name })

  /** As a relay leaves it whose broker refuses the sites of these names. */
  async function delivered(...refused: readonly string[]): Promise<void> {
    const broker = recordingBroker({
      answer: ({ body }) => {
        const isRefused = refused.some((name) => body.includes(`"name":"${name}"`))
        return isRefused ? Object.assign(new Error("no such site"), { retryable: false }) : undefined
      },
    })
    log.changes.registerBroker("console", broker)
    const relay = await log.changes.startRelay()
    await log.changes.flush()
    await relay.stop()
  }

  it("relay delivers until it is told to end, and leaves its lease to the next", async () => {
    const running = cli.start("relay")
    await running.until("the relay runs")
    await insert("ams")
    await running.until("got create.dcim.site dcim.site:1")
    running.kill("SIGTERM")
    expect((await running.outcome).code).toBe(0)

    const { written } = await cli.run("status", "--json")
    expect(JSON.parse(written)).toMatchObject({
      cursors: [{ broker: "console", lag: 0, delivered: 1, leader: null, lastError: null }],
      relays: [],
    })
  })

  it("status shows what is behind, dead and held", async () => {
    await insert("ams")
    await log.dataSource.getRepository(Site).update({ slug: "ams" }, { name: "amsterdam" })
    await delivered("ams")
    await insert("lon")
    await insert("par")
    const { code, written, told } = await cli.run("status")

    expect([code, told.trim()]).toEqual([0, "no relay runs"])
    const [head, row] = written.split("\n").map((line) => line.split(/ {2,}/))
    expect(head).toEqual(["BROKER", "LAG", "OLDEST", "DELIVERED", "DEAD", "HELD", "LEADER", "LAST ERROR"])
    expect(row).toEqual(["console", "2", expect.stringMatching(/^\d+ s$/), "0", "1", "1", "nobody", "-"])
  })

  it("tail shows what is committed, whatever the brokers have", async () => {
    await insert("before")
    const running = cli.start("tail", "--topic", "create.*")
    await running.until("events, from now on")
    await insert("ams")
    await log.dataSource.getRepository(Site).update({ slug: "ams" }, { name: "amsterdam" })
    await insert("lon")
    await running.until('"name":"lon"')
    running.kill("SIGINT")
    const { code, written } = await running.outcome

    expect(code).toBe(0)
    expect(written.split("\n").map((line) => line.split(" ")[1])).toEqual([
      "create.dcim.site",
      "create.dcim.site",
      undefined,
    ])
    expect(written).not.toContain("before")
  })

  it("tail begins where it is told, and writes JSON", async () => {
    await insert("first")
    await insert("second")
    const running = cli.start("tail", "--since", "2", "--json")
    await running.until("second")
    running.kill("SIGTERM")
    const { written } = await running.outcome

    expect(JSON.parse(written)).toMatchObject({ topic: "create.dcim.site", postchange: { name: "second" } })
  })

  it("replay has a broker get events once more", async () => {
    await insert("ams")
    await insert("lon")
    await delivered()
    expect(await cli.run("replay", "--broker", "console", "--since", "2")).toMatchObject({
      code: 0,
      told: expect.stringContaining("will be delivered to console once more") as string,
    })

    const { written } = await cli.run("status", "--json")
    expect(JSON.parse(written)).toMatchObject({ cursors: [{ lag: 1 }] })
  })

  it("prune removes what every broker has had, and says who has not", async () => {
    await insert("ams")
    await delivered()
    await insert("lon")
    const { code, told } = await cli.run("prune", "--days", "0")

    expect([code, told]).toEqual([
      0,
      "1 rows older than 0 days are removed\nothers are kept for brokers that have not had them: console\n",
    ])
    expect((await log.events()).map(({ postchange }) => postchange?.["name"])).toEqual(["lon"])
  })

  it("dead letters are listed, shown, sent again and dropped", async () => {
    await insert("ams")
    await insert("lon")
    await delivered("ams", "lon")
    const { written: list } = await cli.run("dead-letters", "list", "--json")
    const letters = JSON.parse(list) as { id: string; key: string }[]
    expect(letters.map(({ key }) => key)).toEqual(["dcim.site:1", "dcim.site:2"])

    const { written: shown } = await cli.run("dead-letters", "show", "--id", letters[0]?.id ?? "")
    expect(JSON.parse(shown)).toMatchObject({ broker: "console", record: { postchange: { name: "ams" } } })
    expect((await cli.run("dead-letters", "requeue", "--key", "dcim.site:1")).told).toBe(
      "1 dead letter to be sent again, by the relay that leads their broker\n",
    )
    expect((await cli.run("dead-letters", "drop", "--id", letters[1]?.id ?? "")).told).toBe("1 dead letter given up\n")
    expect(await cli.run("dead-letters", "requeue", "--broker", "consol")).toMatchObject({
      code: 1,
      told: expect.stringContaining("did you mean console?") as string,
    })
    const { written: rest } = await cli.run("dead-letters", "list")
    expect(
      rest
        .trim()
        .split("\n")
        .map((line) => line.split(/ {2,}/)[2]),
    ).toEqual(["STATE", "requeued"])
  })

  it("forget takes away a broker that is there no more", async () => {
    await insert("ams")
    await delivered()
    expect(await cli.run("forget", "--broker", "consol")).toMatchObject({
      code: 1,
      told: expect.stringContaining("knows no broker consol; did you mean console? (BROKER_UNKNOWN)") as string,
    })
    expect((await cli.run("forget", "--broker", "console")).code).toBe(0)
    expect((await cli.run("status", "--json")).written).toContain('"cursors": []')
  })

  it("doctor lists what makes events, and fails where something does not", async () => {
    const { code, written } = await cli.run("doctor", "--json")
    const entities = JSON.parse(written) as { entity: string; paths: { path: string; by: string }[] }[]
    const device = entities.find(({ entity }) => entity === "Device")
    expect(device?.paths.map(({ path, by }) => `${by}: ${path}`)).toEqual([
      "orm: save, remove, query builders, cascades of TypeORM",
      "orm: many-to-many tags",
      expect.stringMatching(/^orm: .* → (Site|IPAddress) ON DELETE SET NULL$/),
      expect.stringMatching(/^orm: .* → (Site|IPAddress) ON DELETE SET NULL$/),
      "orm: clear()",
      "reported: TRUNCATE, raw SQL of this application",
      "nobody: other programs, functions and triggers that write",
    ])
    expect(code).toBe(0)

    const { code: strict, written: table, told } = await cli.run("doctor", "--strict")
    expect([strict, told]).toEqual([1, expect.stringContaining("(COVERAGE_INCOMPLETE)")])
    expect(table).toMatch(/^ENTITY +WRITE +EVENTS BY +WHY NOT +REMEDY\n/)
  })

  it("adopt makes a copied log its own", async () => {
    await insert("ams")
    await delivered()
    await insert("lon")
    await log.observer.query("UPDATE change_events.meta SET system_identifier = '7'")
    expect(await cli.run("replay", "--broker", "console", "--since", "1")).toMatchObject({
      code: 1,
      told: expect.stringContaining("(CHANGE_LOG_FOREIGN)") as string,
    })
    expect((await cli.run("adopt", "--deliver", "rest")).told).toContain("1 events of before are still to be delivered")
    expect((await cli.run("replay", "--broker", "console", "--since", "1")).code).toBe(0)
  })
})

describe("change-events, called wrongly", () => {
  it.each([
    [["status"], "direct", '1 there is no change log: changeEvents() was made without delivery: "outbox" (OUTBOX_OFF)'],
    [["status"], "outbox", "1 there is no change log"],
  ] as const)("%j says what is wrong", async (args, delivery, said) => {
    const database = await createTestDatabase(VERSION)
    const cli = await cliProgram(database.url, delivery)
    const { code, told } = await cli.run(...args)
    await cli.remove()
    await database.drop()

    expect(`${code} ${told.replace("change-events: ", "")}`).toContain(said)
  })
})
