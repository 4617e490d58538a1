import { Like } from "typeorm"
import { Device } from "../../../fixtures/inventory/device"
import { Interface } from "../../../fixtures/inventory/interface"
import { Site } from "../../../fixtures/inventory/site"
import { amendChangeContext, withChangeContext } from "../../../src"
import type { EventContext } from "../../../src"
import { describeOnEveryPostgres } from "../../servers/test-database"
import type { OutboxDatabase } from "../../support/outbox-database"
import { overtaken } from "../../support/overtaken-statement"
import { emptyLog, triggeredDatabase } from "../../support/triggered-database"
import { withClient } from "../../support/with-client"

/** What we use of `pg`'s Client. */
interface DriverClient {
  query(...args: unknown[]): unknown
}

const INSERT = "INSERT INTO dcim.site (name, slug) VALUES ('raw', 'raw')"

describeOnEveryPostgres((version) => {
  let outbox: OutboxDatabase

  beforeAll(async () => {
    const entities = [Device, Site].map((entity) => ({ entity, capture: "triggers" as const }))
    outbox = await triggeredDatabase(version, {
      changes: { entities: [...entities, Interface] },
      dataSource: { extra: { max: 1 } },
    })
    await outbox.observer.query("ALTER TABLE dcim.site ALTER version SET DEFAULT 1")
  })
  afterAll(() => outbox.close())
  beforeEach(async () => {
    await outbox.observer.query("TRUNCATE dcim.site, dcim.device, dcim.interface RESTART IDENTITY CASCADE")
    await emptyLog(outbox)
  })

  const as = <T>(userName: string, work: () => Promise<T>): Promise<T> =>
    withChangeContext({ userName, changeContext: "Web", changeContextDetail: "PATCH /", tenant: 'it"s \\ ö' }, work)

  const contexts = async (): Promise<readonly EventContext[]> => (await outbox.events()).map(({ context }) => context)
  const users = async (): Promise<readonly (string | null)[]> => (await contexts()).map(({ userName }) => userName)

  it("is told of every write of this process, by TypeORM or not", async () => {
    const { manager } = outbox.dataSource
    await as("alice", async () => {
      await manager.save(Site, { name: "a", slug: "a", address: {} })
      await manager.update(Site, { slug: "a" }, { name: "b" })
      await manager.query(INSERT)
      await manager.query("/* raw */ UPDATE dcim.site SET name = $1", ["c"])
      await manager.query("WITH gone AS (DELETE FROM dcim.site WHERE slug = 'raw' RETURNING *) SELECT * FROM gone")
      await manager.query("TRUNCATE dcim.site CASCADE")
    })

    const told = await contexts()
    expect(told).toHaveLength(7)
    for (const context of told) {
      expect(context).toMatchObject({ userName: "alice", changeContext: "Web", tenant: 'it"s \\ ö' })
      expect(context.changeContextDetail).toBe("PATCH /")
    }
    expect(new Set(told.map(({ requestId }) => requestId)).size).toBe(1)
  })

  it("is that of each statement, also within a transaction", async () => {
    await outbox.dataSource.transaction(async (manager) => {
      const insert = (slug: string) => manager.insert(Site, { name: slug, slug })
      await as("alice", () => insert("a"))
      await as("bob", async () => {
        await insert("b")
        amendChangeContext({ userName: "carol" })
        await insert("c")
      })
      await insert("d")
      await insert("e")
    })

    expect(await users()).toEqual(["alice", "bob", "carol", null, null])
    const [, , , d, e] = await contexts()
    expect(d).toMatchObject({ changeContext: "ORM" })
    expect(e).toEqual(d)
  })

  it("is told anew after a rollback to a savepoint", async () => {
    await as("alice", () =>
      outbox.dataSource.transaction(async (manager) => {
        await manager
          .transaction(async (inner) => {
            await inner.insert(Site, { name: "a", slug: "a" })
            throw new Error("no")
          })
          .catch(() => undefined)
        await manager.insert(Site, { name: "b", slug: "b" })
      }),
    )

    expect(await users()).toEqual(["alice"])
  })

  it("is told anew where a statement of ours was undone and carried out again", async () => {
    const { manager } = outbox.dataSource
    const device = await manager.save(Device, { name: "d" })
    await manager.insert(Interface, [
      { name: "old a", deviceId: device.id },
      { name: "new b", deviceId: device.id },
    ])
    await emptyLog(outbox)
    // The deletion waits for the one row, and finds the other as well when it goes on.
    const deleteAndInsert = () =>
      outbox.dataSource.transaction(async (inner) => {
        await inner.delete(Interface, { name: Like("old%") })
        await inner.insert(Site, { name: "a", slug: "a" })
      })
    await overtaken(
      outbox.observer,
      outbox.database.url,
      (early) => early.query("UPDATE dcim.interface SET name = replace(name, 'new', 'old')"),
      () => as("alice", deleteAndInsert),
    )

    const told = (await outbox.events()).map(({ action, model, context }) => `${action} ${model} ${context.userName}`)
    expect([...told].sort()).toEqual(["create site alice", "delete interface alice", "delete interface alice"])
  })

  it("does not stay with the connection", async () => {
    const { manager } = outbox.dataSource
    await as("alice", () => manager.insert(Site, { name: "a", slug: "a" }))
    await as("bob", () => outbox.dataSource.transaction((inner) => inner.insert(Site, { name: "b", slug: "b" })))
    const [{ left }] = await manager.query<[{ left: string }]>(
      "SELECT current_setting('change_events.context', true) AS left",
    )
    await manager.query(INSERT)

    expect(left).toBe("")
    expect(await users()).toEqual(["alice", "bob", null])
  })

  it("is that of the statement whose cascade it is, though the statement's own table is captured here", async () => {
    const { manager } = outbox.dataSource
    const device = await manager.save(Device, { name: "d" })
    const site = await manager.save(Site, { name: "a", slug: "a", address: {}, devices: [device] })
    await manager.query(
      `CREATE FUNCTION rename_device() RETURNS trigger LANGUAGE plpgsql AS
       $$ BEGIN UPDATE dcim.device SET comments = NEW.name WHERE id = NEW."deviceId"; RETURN NEW; END $$`,
    )
    await manager.query("CREATE TRIGGER t AFTER INSERT ON dcim.interface FOR EACH ROW EXECUTE FUNCTION rename_device()")
    await emptyLog(outbox)

    await as("alice", () => manager.insert(Interface, { name: "i", deviceId: device.id }))
    await as("bob", () =>
      outbox.dataSource.transaction((inner) => inner.insert(Interface, { name: "j", deviceId: device.id })),
    )
    await as("carol", () => manager.delete(Site, site.id))

    const told = (await outbox.events()).map(({ model, context }) => `${model} ${String(context.userName)}`)
    expect([...told].sort()).toEqual([
      "device alice",
      "device bob",
      "device carol",
      "interface alice",
      "interface bob",
      "site carol",
    ])
  })

  it("comes with every way of calling the driver, and leaves its answers as they are", async () => {
    const runner = outbox.dataSource.createQueryRunner()
    const client = (await runner.connect()) as DriverClient
    const insert = "INSERT INTO dcim.site (name, slug) VALUES ('a', $1) RETURNING id, slug"
    const called = (...args: unknown[]): Promise<unknown> =>
      new Promise((resolve, reject) => {
        const told = client.query(...args, (error: unknown, answer: unknown) =>
          error ? reject(error) : resolve(answer),
        )
        expect(told).toBeUndefined()
      })

    const answers = await as("alice", async () => [
      await client.query(insert, ["a"]),
      await client.query({ text: insert, values: ["b"], rowMode: "array" }),
      await client.query({ name: "n", text: insert, values: ["c"] }),
      await client.query({ name: "n", text: insert, values: ["d"] }),
      await called(insert, ["e"]),
      await called("UPDATE dcim.site SET name = 'b' RETURNING id::int8 AS big;"),
    ])
    await runner.release()

    expect(answers.slice(0, 5).map((answer) => (answer as { rows: unknown }).rows)).toEqual([
      [{ id: 1, slug: "a" }],
      [[2, "b"]],
      [{ id: 3, slug: "c" }],
      [{ id: 4, slug: "d" }],
      [{ id: 5, slug: "e" }],
    ])
    expect(answers[5]).toMatchObject({
      command: "UPDATE",
      rowCount: 5,
      rows: ["1", "2", "3", "4", "5"].map((big) => ({ big })),
    })
    expect(await users()).toEqual(Array<string>(10).fill("alice"))
  })

  it("changes no error, neither of a statement nor of a transaction that has failed", async () => {
    const { manager } = outbox.dataSource
    await as("alice", async () => {
      await manager.insert(Site, { name: "a", slug: "a" })
      await expect(manager.insert(Site, { name: "b", slug: "a" })).rejects.toMatchObject({ code: "23505" })
      await expect(manager.query("UPDATE dcim.nothing SET a = 1")).rejects.toMatchObject({ code: "42P01" })
      await outbox.dataSource
        .transaction(async (inner) => {
          await expect(inner.query("SELECT 1 / 0")).rejects.toMatchObject({ code: "22012" })
          await expect(inner.insert(Site, { name: "c", slug: "c" })).rejects.toMatchObject({ code: "25P02" })
          await expect(inner.insert(Interface, { name: "c", deviceId: 1 })).rejects.toMatchObject({ code: "25P02" })
          await expect(inner.updateAll(Interface, { name: "c" })).rejects.toMatchObject({ code: "25P02" })
          throw new Error("over")
        })
        .catch((error: Error) => expect(error.message).toBe("over"))
      await manager.update(Site, { slug: "a" }, { name: "d" })
    })

    expect(await users()).toEqual(["alice", "alice"])
  })

  it("may be told by another program, and what is none is nobody's", async () => {
    const requestId = "5e3bd2f6-5a4c-4b2e-9d6d-6f1f0a2b3c4d"
    const told = { userName: "psql", requestId, changeContext: "Job", apiKey: "s3cret" }
    await withClient(outbox.database.url, async (client) => {
      for (const context of [JSON.stringify(told), "garbage \u0001", '"text"', '{"requestId":"no"}', "{}"]) {
        await client.query("BEGIN")
        await client.query("SELECT set_config('change_events.context', $1, true)", [context])
        await client.query("INSERT INTO dcim.site (name, slug) VALUES ('a', gen_random_uuid())")
        await client.query("COMMIT")
      }
    })

    const [first, ...others] = await contexts()
    expect(first).toEqual({ ...told, changeContextDetail: "", apiKey: "***" })
    expect(others.map((context) => [context.userName, context.changeContext])).toEqual(Array(4).fill([null, "Unknown"]))
  })
})
