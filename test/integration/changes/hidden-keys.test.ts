import { ChildEntity, Column, Entity, PrimaryColumn, TableInheritance } from "typeorm"
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

const createTable = `CREATE TABLE visit (
  token text PRIMARY KEY, "placeCity" text NOT NULL, purpose text NOT NULL, badge text, kind text NOT NULL
)`

describeOnEveryPostgres((version) => {
  const secrets = ["tok-1", "Atlantis", "badge-7"]
  const entities = [{ entity: GuestVisit, sensitive: { badge: "omit" } }] as const
  let captured: CapturedDatabase

  beforeEach(async () => {
    captured = await captureDatabase(version, {
      changes: { entities },
      dataSource: { entities: [Visit, GuestVisit, StaffVisit] },
    })
    await captured.dataSource.query(createTable)
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

  it("captures a listed child of an inheritance, and not its siblings", async () => {
    const staff = captured.dataSource.getRepository(StaffVisit)
    await staff.save(staff.create({ token: "t", place: { city: "c" }, purpose: "work" }))
    const guests = captured.dataSource.getRepository(GuestVisit)
    await guests.save(guests.create(guest))

    expect((await captured.events()).map((event) => event.topic)).toEqual(["create.app.guestvisit"])
  })
})
