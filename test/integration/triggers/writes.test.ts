import type { Client } from "pg"
import { Device } from "../../../fixtures/inventory/device"
import { Interface } from "../../../fixtures/inventory/interface"
import { Site } from "../../../fixtures/inventory/site"
import { Tag } from "../../../fixtures/inventory/tag"
import { describeOnEveryPostgres } from "../../servers/test-database"
import type { OutboxDatabase } from "../../support/outbox-database"
import { emptyLog, toldLine, triggeredDatabase } from "../../support/triggered-database"
import { withClient } from "../../support/with-client"

describeOnEveryPostgres((version) => {
  let outbox: OutboxDatabase

  beforeAll(async () => {
    const entities = [Site, Device, Interface].map((entity) => ({ entity, capture: "triggers" as const }))
    outbox = await triggeredDatabase(version, { changes: { entities: [...entities, Tag] } })
    await outbox.observer.query("ALTER TABLE dcim.site ALTER version SET DEFAULT 1")
    await outbox.observer.query("ALTER TABLE dcim.device ALTER version SET DEFAULT 1")
  })
  afterAll(() => outbox.close())
  beforeEach(async () => {
    await outbox.observer.query("TRUNCATE dcim.site, dcim.device, dcim.interface, extras.tag RESTART IDENTITY CASCADE")
    await emptyLog(outbox)
  })

  const toldLines = async (): Promise<readonly string[]> => (await outbox.events()).map(toldLine)

  /** Another program, which knows nothing of TypeORM. */
  const elsewhere = (work: (client: Client) => Promise<unknown>): Promise<unknown> =>
    withClient(outbox.database.url, work)

  it("tells another program's writes, as nobody's", async () => {
    await elsewhere(async (client) => {
      await client.query("INSERT INTO dcim.site (name, slug, asn, latitude) VALUES ('a', 'a', 9007199254740993, 1.5)")
      await client.query("UPDATE dcim.site SET name = 'b'")
      await client.query("DELETE FROM dcim.site")
    })

    const events = await outbox.events()
    expect(events.map(toldLine)).toEqual([
      "create site 1",
      `update site 1 {"name":"a"} → {"name":"b"}`,
      "delete site 1",
    ])
    expect(events[0]?.postchange).toMatchObject({ asn: "9007199254740993", latitude: "1.500000" })
    for (const { context } of events) {
      expect(context).toEqual({
        userName: null,
        changeContext: "Unknown",
        changeContextDetail: "",
        requestId: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/) as string,
      })
    }
    expect(new Set(events.map(({ context }) => context.requestId)).size).toBe(3)
  })

  it("tells one request id for the statements of a transaction", async () => {
    await elsewhere((client) =>
      client.query("BEGIN; INSERT INTO dcim.site (name, slug) VALUES ('a', 'a'); DELETE FROM dcim.site; COMMIT"),
    )

    const events = await outbox.events()
    expect(events.map(toldLine)).toEqual(["create site 1", "delete site 1"])
    expect(new Set(events.map(({ context }) => context.requestId)).size).toBe(1)
  })

  it("tells nothing of what is rolled back, whole or to a savepoint, or changes no row", async () => {
    await elsewhere(async (client) => {
      await client.query("BEGIN; INSERT INTO dcim.site (name, slug) VALUES ('a', 'a'); ROLLBACK")
      await client.query("BEGIN; SAVEPOINT s; INSERT INTO dcim.site (name, slug) VALUES ('b', 'b'); ROLLBACK TO s")
      await client.query("INSERT INTO dcim.site (name, slug) VALUES ('c', 'c'); COMMIT")
      await client.query("UPDATE dcim.site SET name = 'd' WHERE false")
      await client.query("UPDATE dcim.site SET name = name")
      await client.query("DELETE FROM dcim.site WHERE false")
    })

    expect((await outbox.events()).map(({ postchange }) => postchange?.["name"])).toEqual(["c"])
  })

  it("tells COPY", async () => {
    await elsewhere((client) =>
      client.query(
        `COPY dcim.site (name, slug) FROM PROGRAM 'printf "site-1,1\\nsite-2,2\\nsite-3,3\\n"' WITH (FORMAT csv)`,
      ),
    )

    expect(await toldLines()).toEqual(["create site 1", "create site 2", "create site 3"])
  })

  it("tells TRUNCATE as the deletion of each row, also of the tables that it takes along", async () => {
    await outbox.observer.query("INSERT INTO dcim.site (name, slug) VALUES ('a', 'a'), ('b', 'b')")
    await outbox.observer.query(`INSERT INTO dcim.device (name, "siteId") VALUES ('d', 1)`)
    await emptyLog(outbox)

    await elsewhere((client) => client.query("TRUNCATE dcim.site CASCADE"))

    expect([...(await toldLines())].sort()).toEqual(["delete device 1", "delete site 1", "delete site 2"])
  })

  it("tells what foreign keys do: ON DELETE CASCADE and SET NULL", async () => {
    await outbox.observer.query("INSERT INTO dcim.site (name, slug) VALUES ('a', 'a'), ('b', 'b')")
    await outbox.observer.query(`INSERT INTO dcim.device (name, "siteId") VALUES ('d', 1), ('e', 1), ('f', 2)`)
    await outbox.observer.query(
      `INSERT INTO dcim.interface (name, "deviceId", "lagId") VALUES ('i', 1, NULL), ('j', 1, 1), ('k', 2, 1), ('l', 2, 2)`,
    )
    await emptyLog(outbox)

    await elsewhere((client) => client.query("DELETE FROM dcim.site"))
    expect([...(await toldLines())].sort()).toEqual([
      "delete site 1",
      "delete site 2",
      `update device 1 {"site":1} → {"site":null}`,
      `update device 2 {"site":1} → {"site":null}`,
      `update device 3 {"site":2} → {"site":null}`,
    ])

    await emptyLog(outbox)
    await elsewhere((client) => client.query("DELETE FROM dcim.device WHERE id = 1"))
    expect([...(await toldLines())].sort()).toEqual([
      "delete device 1",
      "delete interface 1",
      "delete interface 2",
      `update interface 3 {"lag":1} → {"lag":null}`,
      `update interface 4 {"lag":2} → {"lag":null}`,
    ])
  })

  it("tells an upsert and a MERGE by what became of each row", async () => {
    await outbox.observer.query("INSERT INTO dcim.site (name, slug) VALUES ('a', 'a'), ('b', 'b')")
    await emptyLog(outbox)

    await elsewhere(async (client) => {
      await client.query(
        `INSERT INTO dcim.site (id, name, slug) VALUES (7, 'A', 'a'), (8, 'c', 'c') ON CONFLICT (slug) DO UPDATE SET name = excluded.name`,
      )
      await client.query(
        `MERGE INTO dcim.site USING (VALUES ('a'), ('b'), ('d')) AS given (slug) ON site.slug = given.slug
         WHEN MATCHED AND given.slug = 'a' THEN DELETE
         WHEN MATCHED THEN UPDATE SET name = 'B'
         WHEN NOT MATCHED THEN INSERT (id, name, slug) VALUES (9, 'd', 'd')`,
      )
    })

    const lines = await toldLines()
    expect([...lines.slice(0, 2)].sort()).toEqual(["create site 8", `update site 1 {"name":"a"} → {"name":"A"}`])
    expect([...lines.slice(2)].sort()).toEqual([
      "create site 9",
      "delete site 1",
      `update site 2 {"name":"b"} → {"name":"B"}`,
    ])
  })

  it("tells the change of a key as one update, under the key that the row had", async () => {
    await outbox.observer.query("INSERT INTO dcim.site (name, slug) VALUES ('a', 'a'), ('b', 'b')")
    await emptyLog(outbox)

    await elsewhere((client) => client.query("UPDATE dcim.site SET id = id + 10"))

    expect(await toldLines()).toEqual([`update site 1 {"id":1} → {"id":11}`, `update site 2 {"id":2} → {"id":12}`])
  })

  it("tells an ORM's write once, and reports nothing as uncaptured", async () => {
    const { manager } = outbox.dataSource
    const site = await manager.save(Site, { name: "a", slug: "a", address: {} })
    await manager.save(Site, { id: site.id, name: "b" })
    await manager.update(Site, site.id, { name: "c" })
    await manager.query("UPDATE dcim.site SET name = 'd'")
    await manager.save(Tag, { name: "t" })
    await manager.transaction((inner) => inner.delete(Site, site.id))

    expect(await toldLines()).toEqual([
      "create site 1",
      `update site 1 {"name":"a"} → {"name":"b"}`,
      `update site 1 {"name":"b"} → {"name":"c"}`,
      `update site 1 {"name":"c"} → {"name":"d"}`,
      expect.stringMatching(/^create tag /),
      "delete site 1",
    ])
    expect(outbox.logged).toEqual([])
    expect(outbox.changes.status().uncaptured).toEqual({ statements: 0, rows: 0 })
  })

  it("pairs old and new rows of a statement of many, also when the plan was made for one", async () => {
    await elsewhere(async (client) => {
      await client.query("INSERT INTO dcim.site (name, slug) VALUES ('site-0', 'site-0')")
      await client.query("UPDATE dcim.site SET asn = 0")
      await client.query(
        "INSERT INTO dcim.site (name, slug) SELECT 'site-' || n, 'site-' || n FROM generate_series(1, 20000) n",
      )
      await client.query("UPDATE dcim.site SET asn = id * 1000")
    })

    const updates = (await outbox.events()).slice(-20_001)
    const wrong = updates.filter(({ prechange, postchange }) => {
      return prechange?.["id"] !== postchange?.["id"] || postchange?.["asn"] !== `${Number(postchange?.["id"]) * 1000}`
    })
    expect(wrong).toEqual([])
    expect(updates).toHaveLength(20_001)
  })
})
