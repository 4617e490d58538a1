import { Column, Entity, ManyToOne, PrimaryColumn, PrimaryGeneratedColumn, type EntityManager } from "typeorm"
import { Rota } from "../../../fixtures/hostile/rota"
import { Shift } from "../../../fixtures/hostile/shift"
import type { ChangeEventsOptions } from "../../../src"
import { describeOnEveryPostgres } from "../../servers/test-database"
import { captureDatabase, type CapturedDatabase } from "../../support/captured-database"
import { overtaken } from "../../support/overtaken-statement"

@Entity({ schema: "hostile" })
class Warehouse {
  @PrimaryColumn({ type: "text" })
  code!: string

  @Column({ type: "text", nullable: true })
  city!: string | null

  @Column({ type: "text", nullable: true })
  tag!: string | null
}

/** Its key has its warehouse's in it. */
@Entity({ schema: "hostile" })
class Bin {
  @ManyToOne(() => Warehouse, { onUpdate: "CASCADE" })
  warehouse!: Warehouse

  @PrimaryColumn({ type: "text" })
  warehouseCode!: string

  @PrimaryColumn({ type: "int" })
  number!: number
}

@Entity({ schema: "hostile" })
class Item {
  @PrimaryGeneratedColumn({ type: "int" })
  id!: number

  @ManyToOne(() => Bin, { onUpdate: "CASCADE" })
  bin!: Bin
}

@Entity({ schema: "hostile" })
class Visit {
  @PrimaryGeneratedColumn({ type: "int" })
  id!: number

  @ManyToOne(() => Warehouse, { nullable: true, onUpdate: "SET NULL" })
  warehouse!: Warehouse | null

  @ManyToOne(() => Warehouse, { nullable: true, onUpdate: "SET DEFAULT" as never })
  next!: Warehouse | null
}

const createTables = `
CREATE TABLE hostile.warehouse (code text PRIMARY KEY, city text, tag text UNIQUE);
CREATE TABLE hostile.bin (
  "warehouseCode" text REFERENCES hostile.warehouse ON UPDATE CASCADE, number int, PRIMARY KEY ("warehouseCode", number)
);
CREATE TABLE hostile.item (
  id serial PRIMARY KEY, "binWarehouseCode" text, "binNumber" int,
  FOREIGN KEY ("binWarehouseCode", "binNumber") REFERENCES hostile.bin ON UPDATE CASCADE
);
CREATE TABLE hostile.visit (
  id serial PRIMARY KEY, "warehouseCode" text REFERENCES hostile.warehouse ON UPDATE SET NULL,
  "nextCode" text DEFAULT 'main' REFERENCES hostile.warehouse ON UPDATE SET DEFAULT
)`

describeOnEveryPostgres((version) => {
  let captured: CapturedDatabase
  let manager: EntityManager

  async function capture(changes: Omit<ChangeEventsOptions, "brokers" | "logger"> = {}): Promise<void> {
    captured = await captureDatabase(version, {
      changes,
      dataSource: { entities: [Warehouse, Bin, Item, Visit, Rota, Shift] },
    })
    await captured.dataSource.query(createTables)
    manager = captured.dataSource.manager
    await manager.insert(Warehouse, [{ code: "a" }, { code: "main" }])
    await captured.events()
  }
  afterEach(() => captured.close())

  async function fill(): Promise<void> {
    await manager.insert(Bin, [
      { warehouseCode: "a", number: 1 },
      { warehouseCode: "a", number: 2 },
    ])
    await manager.insert(Item, { bin: { warehouseCode: "a", number: 2 } })
    await manager.insert(Visit, { warehouse: { code: "a" }, next: { code: "a" } })
    await captured.events()
  }
  const told = async () =>
    (await captured.events()).map(({ action, model, key, differences }) => [
      `${action} ${model} ${key.split(":")[1]}`,
      differences.added,
    ])
  const reports = () => captured.logged.join("\n")

  it("is followed over a key that it is part of, and to null and the default", async () => {
    await capture()
    await fill()
    await manager.update(Warehouse, "a", { code: "b" })

    expect(await told()).toEqual([
      ["update warehouse a", { code: "b" }],
      ["update bin a,1", { warehouseCode: "b" }],
      ["update bin a,2", { warehouseCode: "b" }],
      ["update visit 1", { warehouse: null, next: "main" }],
      ["update item 1", { bin: { warehouseCode: "b", number: 2 } }],
    ])
    expect(captured.logged).toEqual([])
  })

  it("tells a row once that points there by two keys, which the server changes one after the other", async () => {
    await capture()
    await manager.insert(Visit, { warehouse: { code: "a" }, next: { code: "a" } })
    await captured.events()
    await captured.dataSource.transaction((inner) => inner.update(Warehouse, { code: "a" }, { code: "b" }))

    expect((await told()).map(([line]) => line)).toEqual(["update warehouse a", "update visit 1"])
  })

  it("tells no list for it that the row to which the list belongs has another key", async () => {
    await capture({ relations: "both" })
    const rota = await manager.save(Rota, { name: "r" })
    await manager.save(Shift, { place: "here", number: "1", rotas: [rota] })
    await captured.events()
    await manager.update(Shift, { place: "here" }, { number: "2" })
    await manager.update(Rota, rota.id, { id: 77 })

    expect(await told()).toEqual([
      ["update shift here,1", { number: "2" }],
      ["update rota 1", { shifts: [{ place: "here", number: "2" }] }],
      ["update rota 1", { id: 77 }],
      ["update shift here,2", { rotas: [77] }],
    ])
  })

  it("costs an update of other columns nothing", async () => {
    await capture()
    await fill()
    const sent: unknown[] = []
    const runner = captured.dataSource.createQueryRunner()
    await runner.query("SELECT 1")
    const connection = (await runner.connect()) as { connection: { stream: { write(data: unknown): boolean } } }
    const { stream } = connection.connection
    const write = stream.write.bind(stream)
    stream.write = (data) => (sent.push(String(data)), write(data))
    await runner.manager.update(Warehouse, "a", { city: "Lisbon" })
    stream.write = write
    await runner.release()

    expect(sent.join()).toContain("UPDATE")
    expect(sent.join()).not.toMatch(/BEGIN|SAVEPOINT|FOR UPDATE/)
    expect(await told()).toEqual([["update warehouse a", { city: "Lisbon" }]])
  })

  it("is reported where a key that it is part of is not known beforehand", async () => {
    await capture()
    await fill()
    await manager.update(Warehouse, "a", { code: () => "code || 'x'" })

    expect(await told()).toEqual([["update warehouse a", { code: "ax" }]])
    expect(reports()).toContain("the new key of rows that point there is not known beforehand")
    expect(await manager.countBy(Bin, { warehouseCode: "ax" })).toBe(2)
  })

  it("is reported where more rows point there than may be brought here", async () => {
    await capture({ maxRowsPerStatement: 2 })
    await fill()
    await manager.update(Warehouse, "a", { code: "b" })

    expect(await told()).toEqual([["update warehouse a", { code: "b" }]])
    expect(reports()).toContain("its foreign keys lead to more than 2 rows")
  })

  it("is reported where an upsert gives rows other keys, and not where it leaves them", async () => {
    await capture()
    await fill()
    await manager.update(Warehouse, "a", { tag: "old" })
    await captured.events()
    await manager.upsert(Warehouse, { code: "a", tag: "new" }, ["code"])
    await manager.upsert(Warehouse, { code: "a", tag: "new" }, ["tag"])
    const before = reports()
    await manager.upsert(Warehouse, { code: "b", tag: "new" }, ["tag"])

    expect(await told()).toEqual([
      ["update warehouse a", { tag: "new" }],
      ["update warehouse a", { code: "b" }],
    ])
    expect(before).toBe("")
    expect(reports()).toContain(
      "what its foreign keys do, if anything, could not be read: an upsert gave 1 of its rows another key",
    )
  })

  it("is refused where an upsert gives rows other keys and every event is wanted", async () => {
    await capture({ onUncaptured: "throw" })
    await manager.update(Warehouse, "a", { tag: "old" })
    await captured.events()

    await expect(manager.upsert(Warehouse, { code: "b", tag: "old" }, ["tag"])).rejects.toMatchObject({
      code: "WRITE_UNCAPTURED",
    })
  })

  it("waits for a row that comes to point there, and tells it", async () => {
    await capture()
    await overtaken(
      captured.dataSource,
      captured.database.url,
      (early) => early.insert(Bin, { warehouseCode: "a", number: 7 }),
      () => manager.update(Warehouse, "a", { code: "b" }),
    )

    expect((await told()).map(([line]) => line)).toEqual(["create bin a,7", "update warehouse a", "update bin a,7"])
  })

  it("waits for a row that comes to point to one whose key follows, and tells it", async () => {
    await capture()
    await manager.insert(Bin, { warehouseCode: "a", number: 7 })
    await captured.events()
    await overtaken(
      captured.dataSource,
      captured.database.url,
      (early) => early.insert(Item, { bin: { warehouseCode: "a", number: 7 } }),
      () => manager.update(Warehouse, "a", { code: "b" }),
    )

    expect((await told()).map(([line]) => line)).toEqual([
      "create item 1",
      "update warehouse a",
      "update bin a,7",
      "update item 1",
    ])
  })

  it("waits for nobody who comes to point there where the key stays as it is", async () => {
    await capture()
    const runner = captured.dataSource.createQueryRunner()
    await runner.startTransaction()
    await runner.manager.insert(Bin, { warehouseCode: "a", number: 7 })
    await captured.dataSource.transaction(async (inner) => {
      await inner.query("SET LOCAL lock_timeout = '2s'")
      await inner.update(Warehouse, "a", { code: "a", city: "Lisbon" })
    })
    await runner.commitTransaction()
    await runner.release()

    expect(reports()).toBe("")
    expect((await told()).map(([line]) => line)).toEqual(["update warehouse a", "create bin a,7"])
  })

  it("tells what points there where another has changed the key meanwhile that was to stay", async () => {
    await capture()
    await manager.update(Warehouse, "a", { city: "Porto" })
    await manager.insert(Bin, { warehouseCode: "a", number: 7 })
    await captured.events()
    await overtaken(
      captured.dataSource,
      captured.database.url,
      (early) => early.update(Warehouse, "a", { code: "b" }),
      () => manager.update(Warehouse, { city: "Porto" }, { code: "a" }),
    )

    expect(reports()).toBe("")
    expect(await told()).toEqual([
      ["update warehouse a", { code: "b" }],
      ["update bin a,7", { warehouseCode: "b" }],
      ["update warehouse b", { code: "a" }],
      ["update bin b,7", { warehouseCode: "a" }],
    ])
  })
})
