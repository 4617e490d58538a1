import { Column, Entity, ManyToOne, PrimaryColumn, PrimaryGeneratedColumn } from "typeorm"
import { Book } from "../../../fixtures/hostile/book"
import { Shelf } from "../../../fixtures/hostile/shelf"
import { describeOnEveryPostgres } from "../../servers/test-database"
import { captureDatabase, type CapturedDatabase } from "../../support/captured-database"
import { outboxDatabase, type OutboxDatabase } from "../../support/outbox-database"

@Entity({ schema: "hostile" })
class Owner {
  /** Its transformer takes it for granted that there is one. */
  @PrimaryColumn({ type: "text", transformer: { to: (code: string) => code, from: (text: string) => text.trim() } })
  code!: string
}

@Entity({ schema: "hostile" })
class Pet {
  @PrimaryGeneratedColumn({ type: "int" })
  id!: number

  @Column({ type: "text", default: "" })
  name!: string

  @ManyToOne(() => Owner, { nullable: true, onDelete: "SET NULL" })
  owner!: Owner | null
}

describeOnEveryPostgres((version) => {
  let captured: CapturedDatabase | OutboxDatabase
  afterEach(() => captured.close())

  it.each(["direct", "outbox"])("leaves a transaction failed that a statement has failed in (%s)", async (delivery) => {
    const options = { dataSource: { entities: [Shelf, Book] } }
    captured = delivery === "direct" ? await captureDatabase(version, options) : await outboxDatabase(version, options)
    const { dataSource } = captured
    await dataSource.manager.insert(Shelf, [{ code: "a" }, { code: "b" }])
    await dataSource.query("CREATE TABLE hostile.loan (shelf varchar(20) REFERENCES hostile.shelf)")
    await dataSource.query("INSERT INTO hostile.loan VALUES ('a')")
    const before = (await captured.events()).length
    const runner = dataSource.createQueryRunner()
    // As the drivers do before 8.21, which do not tell.
    Object.assign((await runner.connect()) as object, { getTransactionStatus: undefined })
    await runner.startTransaction()
    await runner.manager.insert(Shelf, { code: "c" })
    const refused = await runner.manager.delete(Shelf, { code: "a" }).catch((error: unknown) => error)
    const failed = await runner.manager.delete(Shelf, { code: "b" }).catch((error: unknown) => error)
    await runner.commitTransaction().catch(() => runner.rollbackTransaction())
    await runner.release()

    expect([refused, failed]).toMatchObject([{ code: "23503" }, { code: "25P02" }])
    expect(await dataSource.manager.count(Shelf)).toBe(2)
    expect((await captured.events()).slice(delivery === "direct" ? 0 : before)).toEqual([])
    expect(captured.logged.join()).not.toContain("foreign keys")
  })

  it("deletes all the same, and reports, where what the application makes of a value fails", async () => {
    captured = await captureDatabase(version, {
      changes: { entities: [Owner, { entity: Pet, transitions: { owner: { nobody: "abandon" } } }] },
      dataSource: { entities: [Owner, Pet] },
    })
    const { manager } = captured.dataSource
    await manager.query("CREATE TABLE hostile.owner (code text PRIMARY KEY)")
    await manager.query(
      `CREATE TABLE hostile.pet (
         id serial PRIMARY KEY, name text, "ownerCode" text REFERENCES hostile.owner ON DELETE SET NULL
       )`,
    )
    await manager.insert(Owner, { code: "a" })
    await manager.insert(Pet, { owner: { code: "a" } })
    await captured.events()
    await manager.delete(Owner, "a")

    expect(await manager.count(Owner)).toBe(0)
    expect((await captured.events()).map(({ topic }) => topic)).toEqual(["delete.hostile.owner"])
    expect(captured.logged.join()).toContain("CAPTURE_FAILED")
  })
})
