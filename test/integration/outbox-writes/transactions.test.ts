import type { EntityManager } from "typeorm"
import { Device } from "../../../fixtures/inventory/device"
import { Site } from "../../../fixtures/inventory/site"
import { describeOnEveryPostgres } from "../../servers/test-database"
import { outboxDatabase, type OutboxDatabase } from "../../support/outbox-database"

describeOnEveryPostgres((version) => {
  let log: OutboxDatabase

  beforeEach(async () => {
    log = await outboxDatabase(version)
  })
  afterEach(() => log.close())

  const sites = (manager: EntityManager = log.dataSource.manager) => manager.getRepository(Site)
  const site = (name: string, manager?: EntityManager) => sites(manager).save({ name, slug: name })
  const insert = (name: string, manager: EntityManager) => manager.insert(Site, { name, slug: name })
  const told = async () =>
    (await log.events()).map(({ action, postchange, prechange }) => {
      return `${action} ${String((postchange ?? prechange)?.["name"])}`
    })

  it("writes what save() changed, with the transaction", async () => {
    const saved = await site("ams")

    const [event, ...others] = await log.events()
    expect(others).toEqual([])
    expect(event).toMatchObject({
      kind: "change",
      action: "create",
      topic: "create.dcim.site",
      key: `dcim.site:${saved.id}`,
      prechange: null,
      postchange: { id: saved.id, name: "ams", status: "active" },
    })
  })

  it("writes what a statement outside a transaction changed", async () => {
    const { id } = await site("ams")

    const inserted = await sites().insert({ name: "lon", slug: "lon" })
    const updated = await sites().update({ id }, { name: "amsterdam" })
    const deleted = await sites().delete({ slug: "lon" })

    expect([inserted.identifiers.length, updated.affected, deleted.affected]).toEqual([1, 1, 1])
    expect(await told()).toEqual(["create ams", "create lon", "update amsterdam", "delete lon"])
  })

  it("writes nothing of a transaction that was rolled back", async () => {
    await expect(
      log.dataSource.transaction(async (manager) => {
        await site("ams", manager)
        await sites(manager).update({ slug: "ams" }, { name: "amsterdam" })
        throw new Error("no")
      }),
    ).rejects.toThrow("no")

    expect(await told()).toEqual([])
  })

  it("writes with a raw COMMIT", async () => {
    const runner = log.dataSource.createQueryRunner()
    await runner.query("BEGIN")
    await insert("ams", runner.manager)
    expect(await told()).toEqual([])
    await runner.query("commit;")
    await runner.query("BEGIN")
    await insert("lon", runner.manager)
    await runner.query("SELECT 1; COMMIT; SELECT 2")
    await runner.release()

    expect(await told()).toEqual(["create ams", "create lon"])
  })

  it("writes with a PREPARE TRANSACTION, if the server takes one", async () => {
    const runner = log.dataSource.createQueryRunner()
    await runner.query("BEGIN")
    await insert("ams", runner.manager)
    await expect(runner.query("PREPARE TRANSACTION 'x'")).rejects.toThrow("prepared transactions are disabled")
    await runner.release()

    expect(await told()).toEqual([])
  })

  it("writes an application's own event, with its transaction or alone", async () => {
    await log.changes.publish("order.placed", { order: 1 })
    await log.dataSource.transaction((manager) => log.changes.publish("order.paid", { order: 1 }, { manager }))
    await log.dataSource
      .transaction(async (manager) => {
        await log.changes.publish("order.lost", { order: 1 }, { manager })
        throw new Error("no")
      })
      .catch(() => undefined)

    expect((await log.events()).map(({ topic, payload }) => [topic, payload])).toEqual([
      ["order.placed", { order: 1 }],
      ["order.paid", { order: 1 }],
    ])
  })

  it("writes an application's own events as they become many, and not all with the COMMIT", async () => {
    const runner = log.dataSource.createQueryRunner()
    const { manager } = runner
    await runner.startTransaction()
    for (let n = 0; n < 2_500; n++) await log.changes.publish("order.counted", { n }, { manager })
    const [written] = (await runner.query("SELECT count(*)::int FROM change_events.log")) as [{ count: number }]
    await runner.commitTransaction()
    await runner.startTransaction()
    const many = Array.from({ length: 1_500 }, (_, n) => log.changes.publish("order.lost", { n }, { manager }))
    await Promise.all(many)
    await runner.rollbackTransaction()
    await runner.release()

    expect(written.count).toBe(2_000)
    expect((await log.events()).map(({ payload }) => payload)).toEqual(Array.from({ length: 2_500 }, (_, n) => ({ n })))
  })

  it("keeps what a savepoint keeps, also when a thousand events were written inside it", async () => {
    await log.dataSource.transaction(async (manager) => {
      await site("outer", manager)
      await manager
        .transaction(async (inner) => {
          await inner.insert(
            Site,
            Array.from({ length: 1_200 }, (_, n) => ({ name: `lost-${n}`, slug: `lost-${n}` })),
          )
          throw new Error("no")
        })
        .catch(() => undefined)
      await manager.transaction(async (inner) => {
        await inner.insert(
          Site,
          Array.from({ length: 1_200 }, (_, n) => ({ name: `kept-${n}`, slug: `kept-${n}` })),
        )
      })
      await site("last", manager)
    })

    const names = await told()
    expect(names).toHaveLength(1_202)
    expect([names[0], names[1], names.at(-2), names.at(-1)]).toEqual([
      "create outer",
      "create kept-0",
      "create kept-1199",
      "create last",
    ])
  })

  it("fails the commit when the log cannot be written, and leaves nothing half done", async () => {
    await log.observer.query("ALTER TABLE change_events.log ADD CHECK (key NOT LIKE 'dcim.site%')")
    const refused = { code: "OUTBOX_WRITE_FAILED" }

    await expect(site("ams")).rejects.toMatchObject({ driverError: refused })
    await expect(sites().insert({ name: "lon", slug: "lon" })).rejects.toMatchObject({ driverError: refused })
    await expect(
      log.dataSource.transaction((manager) =>
        manager.insert(
          Site,
          Array.from({ length: 1_500 }, (_, n) => ({ name: `${n}`, slug: `${n}` })),
        ),
      ),
    ).rejects.toMatchObject({ driverError: refused })
    const runner = log.dataSource.createQueryRunner()
    await runner.query("BEGIN")
    await insert("raw", runner.manager)
    await expect(runner.query("COMMIT")).rejects.toMatchObject({ driverError: refused })
    await runner.query("ROLLBACK")
    await runner.release()

    expect(await sites().count()).toBe(0)
    await log.observer.query("ALTER TABLE change_events.log DROP CONSTRAINT log_key_check")
    await site("ams")
    await sites().insert({ name: "lon", slug: "lon" })
    expect(await told()).toEqual(["create ams", "create lon"])
  })

  it("says which migration has not run, where there is no change log", async () => {
    await log.observer.query("DROP SCHEMA change_events CASCADE")

    await expect(site("ams")).rejects.toMatchObject({
      driverError: {
        code: "OUTBOX_WRITE_FAILED",
        message: expect.stringContaining("changeLogMigrations()") as string,
        retryable: false,
      },
    })
  })

  it("keeps what was made before a savepoint to which a COMMIT that the log refused is rolled back", async () => {
    await log.observer.query("ALTER TABLE change_events.log ADD CHECK (record NOT LIKE '%bad%')")
    const runner = log.dataSource.createQueryRunner()
    await runner.startTransaction()
    await insert("ams", runner.manager)
    await runner.query("SAVEPOINT s")
    await insert("bad", runner.manager)
    await expect(runner.query("COMMIT")).rejects.toMatchObject({ driverError: { code: "OUTBOX_WRITE_FAILED" } })
    await runner.query("ROLLBACK TO SAVEPOINT s")
    await runner.query("COMMIT")
    await runner.release()

    expect(await sites().count()).toBe(1)
    expect(await told()).toEqual(["create ams"])
  })

  it("keeps what was made before a savepoint that the text of the COMMIT rolls back to", async () => {
    const runner = log.dataSource.createQueryRunner()
    await runner.query("BEGIN")
    await insert("ams", runner.manager)
    await runner.query("SAVEPOINT s")
    await insert("lon", runner.manager)
    const answers = (await runner.query("SELECT 1 AS one; ROLLBACK TO SAVEPOINT s; COMMIT")) as unknown[]
    await runner.query("BEGIN")
    await insert("par", runner.manager)
    await runner.query("COMMIT; SELECT 1")
    await runner.release()

    expect(answers).toEqual(await log.observer.query("SELECT 1 AS one; SELECT WHERE false; SELECT WHERE false"))
    expect(await told()).toEqual(["create ams", "create par"])
  })

  it("reports what is undone with a savepoint that a text made which then failed", async () => {
    const runner = log.dataSource.createQueryRunner()
    await runner.query("BEGIN")
    await insert("ams", runner.manager)
    await expect(runner.query("SAVEPOINT s; SELECT 1/0")).rejects.toThrow("division by zero")
    await runner.query("ROLLBACK TO SAVEPOINT s")
    await insert("lon", runner.manager)
    await runner.query("COMMIT")
    await runner.release()

    expect(await told()).toEqual(["create lon"])
    expect(log.logged.join()).toContain(
      "1 events of a transaction are not delivered: it was rolled back to a savepoint",
    )
  })

  it("hands on what a deferred constraint refuses at the commit", async () => {
    await log.observer.query(`ALTER TABLE dcim.site ADD CONSTRAINT once UNIQUE (name) DEFERRABLE INITIALLY DEFERRED`)
    await site("ams")

    await expect(sites().insert({ name: "ams", slug: "other" })).rejects.toMatchObject({
      driverError: { code: "23505" },
    })
    await expect(sites().save({ name: "ams", slug: "other" })).rejects.toMatchObject({ driverError: { code: "23505" } })

    expect(await told()).toEqual(["create ams"])
  })

  it("keeps order and images over many statements that come again", async () => {
    const { id } = await site("ams")
    for (let n = 0; n < 10; n++) {
      await sites().update({ id }, { name: `a${n}` })
      await log.dataSource.transaction((manager) => manager.update(Site, { slug: "ams" }, { name: `b${n}` }))
    }

    const changed = (await log.events()).slice(1).map(({ differences }) => differences)
    const names = Array.from({ length: 10 }, (_, n) => [`a${n}`, `b${n}`]).flat()
    expect(changed).toEqual(
      names.map((name, at) => ({ added: { name }, removed: { name: at === 0 ? "ams" : names[at - 1] } })),
    )
  })

  it("tells listeners after the commit", async () => {
    const heard: string[] = []
    log.changes.on("*", (event) => void heard.push(event.topic))
    await site("ams")
    await log.dataSource.getRepository(Device).insert({ name: "sw1" })
    await log.changes.flush()

    expect(heard).toEqual(["create.dcim.site", "create.dcim.device"])
  })
})
