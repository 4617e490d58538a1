import { Client } from "pg"
import { Tag } from "../../../fixtures/inventory/tag"
import { handleOnce } from "../../../src"
import { createInbox } from "../../../src/migrations"
import { changeLogTables } from "../../../src/outbox/change-log-tables"
import { rewind } from "../../../src/relay/cursor-registry"
import { describeOnEveryPostgres } from "../../servers/test-database"
import { outboxDatabase, type OutboxDatabase } from "../../support/outbox-database"
import { recordingBroker } from "../../support/recording-broker"

describeOnEveryPostgres((version) => {
  let log: OutboxDatabase

  beforeEach(async () => {
    log = await outboxDatabase(version)
    await log.observer.query("CREATE TABLE effect (event_id text NOT NULL)")
  })
  afterEach(() => log.close())

  const effects = async (): Promise<number> =>
    (await log.observer.query<[{ count: number }]>("SELECT count(*)::int AS count FROM effect"))[0].count

  const handle = (eventId: string, afterwards: () => Promise<void> = async () => undefined): Promise<boolean> =>
    log.observer.transaction((manager) =>
      handleOnce(manager, { consumer: "billing", eventId }, async () => {
        await manager.query("INSERT INTO effect VALUES ($1)", [eventId])
        await afterwards()
      }),
    )

  it("lets what is delivered twice take effect once", async () => {
    const broker = recordingBroker()
    log.changes.registerBroker("broker", broker)
    await log.changes.startRelay({ leaseMs: 1_000 })
    for (const name of ["a", "b", "c"]) await log.dataSource.manager.insert(Tag, { name })
    await log.changes.flush()
    await rewind((text, values) => log.observer.query(text, values), changeLogTables(), "broker", 1n)
    await broker.untilAccepted(6)
    const handled: boolean[] = []
    for (const { id } of broker.accepted) handled.push(await handle(id))

    expect(handled).toEqual([true, true, true, false, false, false])
    expect(await effects()).toBe(3)
  })

  it("is no write that makes no events, on a DataSource whose every write must", async () => {
    const strict = await outboxDatabase(version, { changes: { onUncaptured: "throw" } })
    const handled = strict.dataSource.transaction((manager) =>
      handleOnce(manager, { consumer: "billing", eventId: "a" }, () => manager.insert(Tag, { name: "effect" })),
    )

    expect(await handled).toBe(true)
    expect(await strict.events()).toHaveLength(1)
    expect(strict.changes.status().uncaptured).toEqual({ statements: 0, rows: 0 })
    await strict.close()
  })

  it("says what makes its table where there is none", async () => {
    await log.observer.query("DROP TABLE change_events.inbox")

    await expect(handle("a")).rejects.toMatchObject({
      code: "CHANGE_LOG_MISSING",
      message: expect.stringContaining("createInbox()") as string,
      retryable: false,
    })
  })

  it("does it again when the transaction was rolled back", async () => {
    await expect(handle("a", () => Promise.reject(new Error("no")))).rejects.toThrow("no")
    expect(await effects()).toBe(0)
    expect(await handle("a")).toBe(true)
    expect(await effects()).toBe(1)
  })

  it("does it once when it is delivered several times at once, and once for each consumer", async () => {
    const handled = await Promise.all([1, 2, 3, 4].map(() => handle("a")))
    expect(handled.filter((isHandled) => isHandled)).toHaveLength(1)
    expect(await effects()).toBe(1)
    const other = log.observer.transaction((manager) =>
      handleOnce(manager, { consumer: "mail", eventId: "a" }, async () => undefined),
    )
    expect(await other).toBe(true)
  })

  it("works on a client of pg, in a database that has no change log", async () => {
    const client = new Client({ connectionString: log.database.url })
    await client.connect()
    for (const statement of createInbox({ schema: "consumer" })) await client.query(statement)
    const event = { consumer: "billing", eventId: "a", schema: "consumer" }
    const work = jest.fn(async () => undefined)
    await expect(handleOnce(client, event, work)).rejects.toMatchObject({ code: "INBOX_WITHOUT_TRANSACTION" })
    for (let n = 0; n < 2; n++) {
      await client.query("BEGIN")
      await handleOnce(client, event, work)
      await client.query("COMMIT")
    }
    await client.end()
    expect(work).toHaveBeenCalledTimes(1)
  })

  it("is refused outside a transaction", async () => {
    const work = jest.fn(async () => undefined)
    const event = { consumer: "billing", eventId: "a" }
    await expect(handleOnce(log.observer.manager, event, work)).rejects.toMatchObject({
      code: "INBOX_WITHOUT_TRANSACTION",
    })
    const runner = log.observer.createQueryRunner()
    await expect(handleOnce(runner, event, work)).rejects.toMatchObject({ code: "INBOX_WITHOUT_TRANSACTION" })
    await runner.release()
    expect(work).not.toHaveBeenCalled()
  })
})
