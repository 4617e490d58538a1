import type { Client } from "pg"
import type { EntityManager } from "typeorm"
import { fixtureEntities } from "../../../fixtures/fixture-entities"
import { Device } from "../../../fixtures/inventory/device"
import { Tag } from "../../../fixtures/inventory/tag"
import { withChangeContext } from "../../../src"
import { describeOnEveryPostgres } from "../../servers/test-database"
import type { LoggedEvent, OutboxDatabase } from "../../support/outbox-database"
import { emptyLog, toldLine, triggeredDatabase } from "../../support/triggered-database"
import { withClient } from "../../support/with-client"

const tag = (n: number): string => `00000000-0000-4000-8000-00000000000${n}`

describeOnEveryPostgres((version) => {
  let outbox: OutboxDatabase

  beforeAll(async () => {
    outbox = await triggeredDatabase(version, {
      changes: { capture: "triggers" },
      dataSource: { entities: fixtureEntities, poolSize: 8 },
    })
    for (const column of ["meta SET DEFAULT '{}'", "version SET DEFAULT 1"])
      await outbox.observer.query(`ALTER TABLE dcim.device ALTER ${column}`)
  })
  afterAll(() => outbox.close())
  beforeEach(async () => {
    await outbox.observer.query("TRUNCATE dcim.device, extras.tag RESTART IDENTITY CASCADE")
    await outbox.observer.query("INSERT INTO dcim.device (name) VALUES ('a'), ('b')")
    await outbox.observer.query(
      `INSERT INTO extras.tag (id, name) SELECT ('00000000-0000-4000-8000-00000000000' || n)::uuid, 'tag ' || n FROM generate_series(1, 9) n`,
    )
    await emptyLog(outbox)
  })

  const elsewhere = (...statements: readonly string[]): Promise<unknown> =>
    withClient(outbox.database.url, async (client: Client) => {
      for (const statement of statements) await client.query(statement)
    })
  const add = (device: number, ...tags: readonly number[]): string =>
    `INSERT INTO dcim.device_tag VALUES ${tags.map((n) => `(${device}, '${tag(n)}')`).join()}`
  const remove = (device: number, ...tags: readonly number[]): string =>
    `DELETE FROM dcim.device_tag WHERE "deviceId" = ${device} AND "tagId" IN (${tags.map((n) => `'${tag(n)}'`).join()})`

  /** `update device 1: 1 → 1 2`, and anything else as `toldLine` has it. */
  const lines = async (): Promise<readonly string[]> => (await outbox.events()).map(listLine)

  it("tells another program's rows as one update of the owner for each transaction, with its list before and after", async () => {
    await elsewhere(add(1, 2, 1), `BEGIN; ${add(1, 3)}; ${remove(1, 2)}; ${add(2, 9)}; COMMIT`, remove(1, 1, 3))

    expect(await lines()).toEqual([
      "update device 1: → 1 2",
      "update device 1: 1 2 → 1 3",
      "update device 2: → 9",
      "update device 1: 1 3 →",
    ])
    const [event] = await outbox.events()
    expect(event?.prechange).toMatchObject({ id: 1, name: "a", tags: [] })
    expect(event?.postchange).toEqual({ ...event?.prechange, tags: [tag(1), tag(2)] })
    expect(event?.differences).toEqual({ added: { tags: [tag(1), tag(2)] }, removed: { tags: [] } })
    expect(event?.context).toMatchObject({ changeContext: "Unknown", userName: null })
  })

  it("tells nothing of what is rolled back, wholly or to a savepoint, or done and undone", async () => {
    await elsewhere(
      `BEGIN; ${add(1, 1)}; ROLLBACK`,
      `BEGIN; SAVEPOINT s; ${add(1, 1)}; ROLLBACK TO s; ${add(1, 2)}; COMMIT`,
      `BEGIN; ${add(1, 3)}; ${remove(1, 3)}; COMMIT`,
      `BEGIN; ${remove(1, 2)}; ${add(1, 2)}; COMMIT`,
      `UPDATE dcim.device_tag SET "tagId" = "tagId"`,
      remove(1, 8),
    )

    expect(await lines()).toEqual(["update device 1: → 2"])
    expect(await outbox.observer.query("SELECT FROM change_events.relation_change")).toEqual([])
  })

  it("tells COPY, UPDATE and TRUNCATE of the junction", async () => {
    await elsewhere(
      `COPY dcim.device_tag FROM PROGRAM 'printf "1,${tag(1)}\\n1,${tag(2)}\\n2,${tag(1)}\\n"' WITH (FORMAT csv)`,
      `UPDATE dcim.device_tag SET "deviceId" = 2 WHERE "tagId" = '${tag(2)}'`,
      "TRUNCATE dcim.device_tag",
    )

    expect(await lines()).toEqual([
      "update device 1: → 1 2",
      "update device 2: → 1",
      "update device 1: 1 2 → 1",
      "update device 2: 1 → 1 2",
      "update device 1: 1 →",
      "update device 2: 1 2 →",
    ])
  })

  it("tells what foreign keys take out of lists, and no update of an owner that is gone", async () => {
    await elsewhere(add(1, 1, 2), add(2, 1))
    await emptyLog(outbox)
    await elsewhere(`DELETE FROM extras.tag WHERE id = '${tag(1)}'`, "DELETE FROM dcim.device WHERE id = 1")

    expect(await lines()).toEqual([
      `delete tag ${tag(1)}`,
      "update device 1: 1 2 → 2",
      "update device 2: 1 →",
      "delete device 1",
    ])
  })

  it("tells no list of a row that was deleted, where another got its key in the same transaction", async () => {
    const again = `DELETE FROM dcim.device WHERE id = 1; INSERT INTO dcim.device (id, name) VALUES (1, 'again')`
    await elsewhere(add(1, 1, 2), `BEGIN; ${again}; COMMIT`, add(1, 3), `BEGIN; ${again}; ${add(1, 4)}; COMMIT`)

    expect(await lines()).toEqual([
      "update device 1: → 1 2",
      "delete device 1",
      "create device 1",
      "update device 1: → 3",
      "delete device 1",
      "create device 1",
      "update device 1: → 4",
    ])
  })

  it("tells what TypeORM writes once, behind the owner's own event, with its context", async () => {
    const { manager } = outbox.dataSource
    const id = await withChangeContext({ userName: "alice", changeContext: "Job" }, async () => {
      const device = await manager.save(Device, { name: "c", tags: [{ id: tag(1) }] } as never as Device)
      await manager.createQueryBuilder().relation(Device, "tags").of(device.id).add(tag(2))
      await manager.save(Device, { id: device.id, name: "d", tags: [{ id: tag(3) }] })
      return device.id
    })

    expect(await lines()).toEqual([
      `create device ${id}`,
      `update device ${id}: → 1`,
      `update device ${id}: 1 → 1 2`,
      `update device ${id} {"name":"c"} → {"name":"d"}`,
      `update device ${id}: 1 2 → 3`,
    ])
    for (const { context } of await outbox.events()) expect(context).toMatchObject({ userName: "alice" })
    expect(outbox.logged).toEqual([])
    expect(outbox.changes.status().uncaptured).toEqual({ statements: 0, rows: 0 })
  })

  it("chains the lists of transactions that change one at the same time", async () => {
    const change = async (manager: EntityManager, n: number): Promise<void> => {
      await manager.query(n % 3 === 2 ? remove(1, n % 9 || 9) : `${add(1, n % 9 || 9)} ON CONFLICT DO NOTHING`)
      await manager.query(`${add(2, (n % 7) + 1)} ON CONFLICT DO NOTHING`)
    }
    await Promise.all(
      Array.from({ length: 80 }, (_, n) => outbox.dataSource.transaction((manager) => change(manager, n))),
    )

    const events = await outbox.events()
    const junction = await outbox.observer.query<{ deviceId: number; tagId: string }[]>(
      `SELECT * FROM dcim.device_tag ORDER BY "tagId"`,
    )
    for (const device of [1, 2]) {
      const own = events.filter(({ postchange }) => postchange?.["id"] === device)
      expect(own.length).toBeGreaterThan(5)
      const before = own.map(({ prechange }) => prechange?.["tags"])
      const after = own.map(({ postchange }) => postchange?.["tags"])
      expect(before).toEqual([[], ...after.slice(0, -1)])
      expect(after.at(-1)).toEqual(junction.filter(({ deviceId }) => deviceId === device).map(({ tagId }) => tagId))
    }
  })

  it("tells lists of many owners that one statement changes", async () => {
    await outbox.observer.query("INSERT INTO dcim.device (name) SELECT 'many' FROM generate_series(1, 3000)")
    await emptyLog(outbox)
    await elsewhere(
      `INSERT INTO dcim.device_tag SELECT device.id, tag.id FROM dcim.device, extras.tag WHERE device.id > 2`,
    )

    const events = await outbox.events()
    expect(events).toHaveLength(3_000)
    expect(new Set(events.map((event) => (event.postchange?.["tags"] as unknown[]).length))).toEqual(new Set([9]))
  })

  it("tells them as fast when the server takes the notes of a transaction for none", async () => {
    await outbox.observer.query("INSERT INTO dcim.device (name) SELECT 'many' FROM generate_series(1, 3000)")
    await emptyLog(outbox)
    const all = "INSERT INTO dcim.device_tag SELECT device.id, tag.id FROM dcim.device, extras.tag"
    await elsewhere(`BEGIN; ${all}; ROLLBACK`, "ANALYZE", all)

    expect(await outbox.events()).toHaveLength(3_002)
  })
})

describeOnEveryPostgres((version) => {
  it("tells both sides where both are wanted, of a junction of which triggers capture one side, too", async () => {
    const changes = { relations: "both" as const, entities: [Device, { entity: Tag, capture: "triggers" as const }] }
    const outbox = await triggeredDatabase(version, { changes, dataSource: { entities: fixtureEntities } })
    try {
      const { manager } = outbox.dataSource
      const { id } = await manager.save(Tag, { id: tag(1), name: "t" })
      await manager.save(Device, { name: "d", tags: [{ id }] } as never as Device)
      await manager.query("DELETE FROM dcim.device_tag")

      const told = (await outbox.events()).map(({ key, differences }) => [key, differences.added])
      expect(told.slice(1)).toEqual([
        ["dcim.device:1", expect.objectContaining({ name: "d" })],
        [`extras.tag:${id}`, { devices: [1] }],
        ["dcim.device:1", { tags: [id] }],
        [`extras.tag:${id}`, { devices: [] }],
        ["dcim.device:1", { tags: [] }],
      ])
      // Of what else foreign keys do to devices, as sites are not captured here, it is told once.
      expect(outbox.logged.filter((line) => !line.includes("FOREIGN_KEYS_UNSEEN"))).toEqual([])
    } finally {
      await outbox.close()
    }
  })
})

function listLine(event: LoggedEvent): string {
  const { added, removed } = event.differences as { added: Record<string, unknown>; removed: Record<string, unknown> }
  if (event.action !== "update" || !("tags" in added)) return toldLine(event)
  const short = (keys: unknown): string => (keys as string[]).map((key) => key.at(-1)).join(" ")
  const id = event.key.slice(event.key.indexOf(":") + 1)
  return `update device ${id}: ${short(removed["tags"])} → ${short(added["tags"])}`.replace(":  →", ": →").trim()
}
