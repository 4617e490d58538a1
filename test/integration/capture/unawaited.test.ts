import type { DataSource, EntityManager, QueryRunner } from "typeorm"
import { Device } from "../../../fixtures/inventory/device"
import { Site } from "../../../fixtures/inventory/site"
import { Tag } from "../../../fixtures/inventory/tag"
import { describeOnEveryPostgres } from "../../servers/test-database"
import { captureDatabase, type CapturedDatabase } from "../../support/captured-database"
import { outboxDatabase, type OutboxDatabase } from "../../support/outbox-database"

/** What is used of the driver's pool. */
interface Pool extends NodeJS.EventEmitter {
  connect(): Promise<{ query(text: string): Promise<unknown>; release(): void }>
}

// The driver queues what is sent before the text ahead of it is answered.
describe.each(["direct", "outbox"] as const)("delivery: %s", (delivery) => {
  describeOnEveryPostgres((version) => {
    let captured: CapturedDatabase | OutboxDatabase
    let dataSource: DataSource

    async function start(poolSize = 10): Promise<void> {
      const options = { dataSource: { poolSize } }
      captured = await (delivery === "direct" ? captureDatabase(version, options) : outboxDatabase(version, options))
      dataSource = captured.dataSource
      await insert(dataSource.manager, "first")
    }
    afterEach(() => captured.close())

    const insert = (manager: EntityManager, name: string) => manager.insert(Site, { name, slug: name })
    const rename = (manager: EntityManager) => manager.update(Site, { slug: "first" }, { name: "renamed" })
    const names = async () =>
      (await dataSource.getRepository(Site).find({ order: { id: "ASC" } })).map(({ name }) => name)
    const told = async () =>
      (await captured.events()).map(({ topic, key, differences }) => {
        const model = topic.split(".").at(-1) ?? ""
        return `${topic.split(".")[0]} ${String((differences.added as { name?: string } | null)?.name ?? `${model} ${key}`)}`
      })

    /** As a query runner that is at work on its connection: nothing more is waited for. */
    async function connected(): Promise<QueryRunner> {
      const runner = dataSource.createQueryRunner()
      await runner.connect()
      return runner
    }

    it("tells a write that the callback of a transaction did not await", async () => {
      await start()
      let late: Promise<unknown> | undefined
      await dataSource.transaction(async (manager) => {
        await insert(manager, "a")
        late = rename(manager)
      })
      await late

      expect(await names()).toEqual(["renamed", "a"])
      expect(await told()).toEqual(["create first", "create a", "update renamed"])
    })

    it("tells the relation that the callback of a transaction did not await", async () => {
      await start()
      const tag = await dataSource.manager.save(Tag, { name: "blue" })
      const device = await dataSource.manager.save(Device, { name: "sw" })
      let late: Promise<unknown> | undefined
      await dataSource.transaction(async (manager) => {
        await insert(manager, "a")
        late = manager.createQueryBuilder().relation(Device, "tags").of(device).add(tag)
      })
      await late

      expect((await told()).at(-1)).toBe(`update device dcim.device:${device.id}`)
    })

    it("rolls back what was written behind a START TRANSACTION that stood behind a query", async () => {
      await start()
      const runner = await connected()
      const slow = runner.query("SELECT pg_sleep(0.05)")
      await runner.startTransaction()
      await slow
      await insert(runner.manager, "a")
      await runner.rollbackTransaction()
      await runner.release()

      expect(await names()).toEqual(["first"])
      expect(await told()).toEqual(["create first"])
    })

    it("rolls back what was written on a connection that the pool's `acquire` prepares", async () => {
      await start()
      const pool = (dataSource.driver as unknown as { master: Pool }).master
      const prepared: Promise<unknown>[] = []
      // Also the connection that tells relays of a commit, and that may be ended meanwhile.
      const prepare = (client: { query(text: string): Promise<unknown> }): void =>
        void prepared.push(client.query("SET lock_timeout TO '10s'").catch(() => undefined))
      pool.on("acquire", prepare)
      await dataSource
        .transaction(async (manager) => {
          await Promise.all(prepared)
          await insert(manager, "a")
          throw new Error("no")
        })
        .catch(() => undefined)
      pool.off("acquire", prepare)

      expect(prepared.length).toBeGreaterThan(0)
      expect(await names()).toEqual(["first"])
      expect(await told()).toEqual(["create first"])
    })

    it("finds the transaction of a BEGIN that is not answered yet", async () => {
      await start()
      const runner = await connected()
      const begun = runner.query("BEGIN")
      await insert(runner.manager, "a")
      await begun
      await runner.query("ROLLBACK")
      await runner.release()

      expect(await names()).toEqual(["first"])
      expect(await told()).toEqual(["create first"])
    })

    it("tells a write behind a COMMIT that is not answered yet", async () => {
      await start()
      const runner = await connected()
      await runner.startTransaction()
      await insert(runner.manager, "a")
      const end = runner.query("COMMIT")
      await insert(runner.manager, "b")
      await end
      await runner.release()

      expect(await told()).toEqual(["create first", "create a", "create b"])
    })

    it("tells a write on a connection that was given back with its ROLLBACK under way", async () => {
      await start(1)
      const pool = (dataSource.driver as unknown as { master: Pool }).master
      const client = await pool.connect()
      await client.query("BEGIN")
      const end = client.query("ROLLBACK")
      client.release()
      await insert(dataSource.manager, "a")
      await end

      expect(await told()).toEqual(["create first", "create a"])
    })

    it("keeps the order of what is sent at once", async () => {
      await start()
      const numbers = Array.from({ length: 20 }, (_, number) => number)
      const runner = await connected()
      const answers: number[] = []
      await Promise.all(
        numbers.map(async (number) => {
          const [row] = (await runner.query(`SELECT ${number} AS number`)) as [{ number: number }]
          answers.push(row.number)
        }),
      )
      await runner.release()

      expect(answers).toEqual(numbers)
    })
  })
})
