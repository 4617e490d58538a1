import {
  ChildEntity,
  Column,
  Entity,
  JoinColumn,
  ManyToOne,
  OneToOne,
  PrimaryColumn,
  type Relation,
  TableInheritance,
} from "typeorm"
import { Sensitive } from "../../../src"
import { describeOnEveryPostgres } from "../../servers/test-database"
import { captureDatabase, type CapturedDatabase } from "../../support/captured-database"

class Place {
  @Column({ type: "text" })
  city!: string
}

@Entity({ name: "visit" })
@TableInheritance({ column: { type: "text", name: "kind" } })
class Visit {
  @Sensitive()
  @PrimaryColumn({ type: "text" })
  token!: string

  @Sensitive()
  @Column(() => Place)
  place!: Place

  @Column({ type: "text" })
  purpose!: string
}

@ChildEntity()
class GuestVisit extends Visit {
  @Column({ type: "text", nullable: true })
  badge!: string | null
}

@ChildEntity()
class StaffVisit extends Visit {}

/** Has no key but the visit's. */
@Entity({ name: "locker" })
class Locker {
  @PrimaryColumn({ type: "text" })
  token!: string

  @OneToOne(() => GuestVisit)
  @JoinColumn({ name: "token" })
  visit!: Relation<GuestVisit>

  @Column({ type: "text", select: false, unique: true })
  pin!: string

  @Column({ type: "int" })
  shelf!: number
}

@Entity({ name: "locked_thing" })
class LockedThing {
  @PrimaryColumn({ type: "int" })
  id!: number

  @ManyToOne(() => Locker)
  locker!: Relation<Locker> | null

  @ManyToOne(() => Locker)
  @JoinColumn({ name: "pin", referencedColumnName: "pin" })
  unlockedBy!: Relation<Locker> | null

  @Column({ type: "text" })
  what!: string
}

const createTables = `
CREATE TABLE visit (token text PRIMARY KEY, "placeCity" text NOT NULL, purpose text NOT NULL, badge text, kind text NOT NULL);
CREATE TABLE locker (token text PRIMARY KEY REFERENCES visit, pin text UNIQUE, shelf int);
CREATE TABLE locked_thing (id int PRIMARY KEY, "lockerToken" text REFERENCES locker, pin text REFERENCES locker (pin), what text)`

describeOnEveryPostgres((version) => {
  const secrets = ["tok-1", "Atlantis", "badge-7", "pin-1234"]
  const entities = [{ entity: GuestVisit, sensitive: { badge: "omit" } }, Locker, LockedThing] as const
  let captured: CapturedDatabase

  beforeEach(async () => {
    captured = await captureDatabase(version, {
      changes: { entities },
      dataSource: { entities: [Visit, GuestVisit, StaffVisit, Locker, LockedThing] },
    })
    await captured.dataSource.query(createTables)
  })
  afterEach(() => captured.close())

  const guest = { token: "tok-1", place: { city: "Atlantis" }, purpose: "tour", badge: "badge-7" }

  it("lets out neither a sensitive key, nor an embedded one, nor one that a child's option names", async () => {
    const guests = captured.dataSource.getRepository(GuestVisit)
    await guests.save(guests.create(guest))
    await guests.update({ token: "tok-1" }, { purpose: "meeting" })

    const messages = await captured.messages()
    const keys = new Set(messages.map((message) => message.key))
    expect(messages).toHaveLength(2)
    expect(keys.size).toBe(1)
    expect([...keys][0]).toMatch(/^app\.guestvisit:[0-9a-f]{64}$/)
    for (const secret of secrets) expect(JSON.stringify(messages)).not.toContain(secret)
  })

  it("lets out neither a sensitive key nor one that is never selected by a row that points there, or to a row that does", async () => {
    const { manager } = captured.dataSource
    await manager.save(manager.create(GuestVisit, guest))
    await manager.save(manager.create(Locker, { token: "tok-1", pin: "pin-1234", shelf: 1 }))
    const thing = { id: 1, what: "coat", locker: { token: "tok-1" }, unlockedBy: { pin: "pin-1234" } }
    await manager.insert(LockedThing, thing)
    await manager.update(LockedThing, 1, { what: "hat" })
    await manager.delete(LockedThing, 1)
    await manager.delete(Locker, "tok-1")

    const messages = await captured.messages()
    expect(messages).toHaveLength(6)
    for (const secret of secrets) expect(JSON.stringify(messages)).not.toContain(secret)
    expect(messages[1]?.key).toBe(messages[0]?.key.replace("guestvisit", "locker"))
  })

  it("captures a listed child of an inheritance, and not its siblings", async () => {
    const staff = captured.dataSource.getRepository(StaffVisit)
    await staff.save(staff.create({ token: "t", place: { city: "c" }, purpose: "work" }))
    const guests = captured.dataSource.getRepository(GuestVisit)
    await guests.save(guests.create(guest))

    expect((await captured.events()).map((event) => event.topic)).toEqual(["create.app.guestvisit"])
  })
})
