import { once } from "node:events"
import { Query, type Client } from "pg"
import type { EntityManager, QueryRunner } from "typeorm"
import { Site } from "../../../fixtures/inventory/site"
import { describeOnEveryPostgres } from "../../servers/test-database"
import { outboxDatabase, type OutboxDatabase } from "../../support/outbox-database"

const PID = "SELECT pg_backend_pid() AS pid"
const STATE = "SELECT state FROM pg_stat_activity WHERE pid = $1"

describeOnEveryPostgres((version) => {
  let log: OutboxDatabase
  let runner: QueryRunner
  let client: Client

  beforeEach(async () => {
    log = await outboxDatabase(version)
    await site("first")
    runner = log.dataSource.createQueryRunner()
    client = (await runner.connect()) as Client
  })
  afterEach(async () => {
    await runner.release()
    await log.close()
  })

  const site = (name: string, manager: EntityManager = log.dataSource.manager) =>
    manager.getRepository(Site).save({ name, slug: name })
  const names = async () =>
    (await log.observer.getRepository(Site).find({ order: { name: "ASC" } })).map(({ name }) => name)
  const told = async () => (await log.events()).map(({ postchange }) => postchange?.["name"])
  const code = (work: Promise<unknown>): Promise<unknown> =>
    work.then(
      () => "no error",
      (error: { driverError?: { code?: string } }) => error.driverError?.code ?? error,
    )

  /** How often the server says that it is ready for more, while the work is done. */
  async function roundTrips(work: () => Promise<unknown>): Promise<number> {
    const { connection } = client as unknown as { connection: NodeJS.EventEmitter }
    let count = 0
    const listener = (): void => void count++
    connection.on("readyForQuery", listener)
    await work()
    connection.off("readyForQuery", listener)
    return count
  }

  /** Leaves a failed transaction open that nobody saw, and a driver that does not tell. */
  async function failUnseen(): Promise<void> {
    const { query } = Object.getPrototypeOf(client) as { query(this: Client, text: string): Promise<unknown> }
    await expect(query.call(client, "BEGIN; SELECT 1/0")).rejects.toThrow("division by zero")
    Object.assign(client, { getTransactionStatus: undefined })
  }

  it("goes with the first statement of a save(), and of a transaction that begins with one", async () => {
    expect(await roundTrips(() => site("a", runner.manager))).toBe(2)
    expect(await roundTrips(() => runner.manager.transaction((manager) => site("b", manager)))).toBe(2)
    expect(await told()).toEqual(["first", "a", "b"])
  })

  it.each([
    ["a reading", async (manager: EntityManager) => manager.find(Site)],
    ["a savepoint", async (manager: EntityManager) => manager.transaction((inner) => site("inner", inner))],
    ["a deletion that cascades", async (manager: EntityManager) => manager.delete(Site, { name: "nobody" })],
    ["raw SQL of several statements", async (manager: EntityManager) => manager.query("SELECT 1; SELECT 2")],
  ])("goes before %s", async (_case, begin) => {
    await expect(
      runner.manager.transaction("REPEATABLE READ", async (manager) => {
        await begin(manager)
        await site("a", manager)
        throw new Error("no")
      }),
    ).rejects.toThrow("no")
    await runner.manager.transaction(async (manager) => {
      await begin(manager)
      await site("b", manager)
    })

    expect([...(await told())].sort()).toEqual(await names())
    expect((await names()).filter((name) => name !== "inner")).toEqual(["b", "first"])
  })

  it("goes before what runs itself", async () => {
    await runner.startTransaction()
    const inserted = client.query(new Query("INSERT INTO dcim.site (name, slug, version) VALUES ($1, $1, 1)", ["a"]))
    await once(inserted, "end")
    await runner.rollbackTransaction()

    expect(await names()).toEqual(["first"])
  })

  it("is sent by itself when no statement comes", async () => {
    const [{ pid }] = (await runner.query(PID)) as [{ pid: number }]
    await runner.startTransaction()
    let state: unknown
    while (state !== "idle in transaction") [{ state }] = await log.observer.query<[{ state: string }]>(STATE, [pid])
    await site("a", runner.manager)
    await runner.commitTransaction()

    expect(await told()).toEqual(["first", "a"])
  })

  it.each(["commitTransaction", "rollbackTransaction"] as const)(
    "is ended by %s() without a statement",
    async (end) => {
      await runner.startTransaction()
      await runner[end]()
      await site("a", runner.manager)

      expect(await names()).toEqual(["a", "first"])
    },
  )

  it.each([
    ["with a statement behind it", (manager: EntityManager) => site("a", manager)],
    ["by itself", (manager: EntityManager) => manager.query("SELECT 1")],
  ])("that the server refuses, sent %s, leaves nothing to be carried out without it", async (_case, begin) => {
    await failUnseen()
    await runner.startTransaction()

    expect(await code(begin(runner.manager))).toBe("25P02")
    await expect(runner.query("INSERT INTO dcim.site (name, slug) VALUES ('b', 'b')")).rejects.toThrow("closed")
    await runner.release()
    await site("c")
    expect(await names()).toEqual(["c", "first"])
  })

  it("keeps what belongs together while statements are cancelled", async () => {
    let isOver = false
    const storm = (async () => {
      while (!isOver)
        await log.observer.query(
          `SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`,
        )
    })()
    const outcomes = await Promise.all(
      Array.from({ length: 4 }, async (_, writer) => {
        let committed = 0
        for (let index = 0; index < 50; index++) {
          const pair = log.dataSource.transaction(async (manager) => {
            await site(`${writer}-${index}-a`, manager)
            await site(`${writer}-${index}-b`, manager)
          })
          committed += await pair.then(
            () => 1,
            () => 0,
          )
        }
        return committed
      }),
    )
    isOver = true
    await storm

    const committed = outcomes.reduce((sum, count) => sum + count)
    const written = (await names()).filter((name) => name !== "first")
    expect(written).toHaveLength(2 * committed)
    expect(new Set(await told())).toEqual(new Set(["first", ...written]))
    for (const name of written)
      expect(written).toContain(name.endsWith("a") ? name.replace(/a$/, "b") : name.replace(/b$/, "a"))
  })
})
