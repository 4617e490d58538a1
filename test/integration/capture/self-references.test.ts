import { Column, Entity, In, JoinColumn, ManyToOne, PrimaryColumn } from "typeorm"
import { describeOnEveryPostgres } from "../../servers/test-database"
import { captureDatabase, type CapturedDatabase } from "../../support/captured-database"

/** One of a chain, of which a statement may write several. */
@Entity({ schema: "hostile" })
class Step {
  @PrimaryColumn({ type: "text" })
  code!: string

  @Column({ type: "int", default: 1 })
  stage!: number

  @ManyToOne(() => Step, { nullable: true, onDelete: "SET NULL", onUpdate: "CASCADE" })
  @JoinColumn({ name: "previous" })
  previous!: Step | null

  /** It goes with this one. */
  @ManyToOne(() => Step, { nullable: true, onDelete: "CASCADE", onUpdate: "CASCADE" })
  @JoinColumn({ name: "owner" })
  owner!: Step | null
}

const createTable = `
CREATE TABLE hostile.step (
  code text PRIMARY KEY, stage int DEFAULT 1,
  previous text REFERENCES hostile.step ON DELETE SET NULL ON UPDATE CASCADE,
  owner text REFERENCES hostile.step ON DELETE CASCADE ON UPDATE CASCADE
)`

// The rows that a foreign key leads to may be the statement's own.
describeOnEveryPostgres((version) => {
  let captured: CapturedDatabase

  beforeEach(async () => {
    captured = await captureDatabase(version, { dataSource: { entities: [Step] } })
    await captured.dataSource.query(createTable)
  })
  afterEach(() => captured.close())

  async function fill(...rows: readonly (readonly [code: string, previous: string | null, owner?: string])[]) {
    await captured.dataSource.manager.insert(
      Step,
      rows.map(([code, previous, owner]) => ({
        code,
        previous: previous === null ? null : { code: previous },
        owner: owner === undefined ? null : { code: owner },
      })),
    )
    await captured.events()
  }

  async function told(): Promise<readonly unknown[]> {
    const events = await captured.events()
    return events.map(({ action, key, differences: { removed, added } }) => {
      const line = `${action} ${key.split(":")[1]}`
      return action === "update" ? [line, removed, added] : line
    })
  }

  it("tells once what a DELETE deletes, though it points to another of its rows", async () => {
    await fill(["a", null], ["b", "a"], ["c", "b", "a"], ["d", "c"])
    await captured.dataSource.manager.delete(Step, { code: In(["a", "b", "c"]) })

    expect(captured.logged).toEqual([])
    expect(await told()).toEqual([
      "delete a",
      "delete b",
      "delete c",
      ["update d", { previous: "c" }, { previous: null }],
    ])
  })

  it("tells once what points to itself and is deleted", async () => {
    await fill(["a", "a", "a"])
    await captured.dataSource.manager.delete(Step, "a")

    expect(captured.logged).toEqual([])
    expect(await told()).toEqual(["delete a"])
  })

  it("tells of rows that are all given another key what each came to point to", async () => {
    await fill(["a", null], ["b", "a"], ["c", "b"])
    await captured.dataSource.manager.update(Step, { stage: 1 }, { code: () => "code || 'x'" })

    expect(captured.logged).toEqual([])
    expect(await told()).toEqual([
      ["update a", { code: "a" }, { code: "ax" }],
      ["update b", { code: "b" }, { code: "bx" }],
      ["update c", { code: "c" }, { code: "cx" }],
      ["update bx", { previous: "a" }, { previous: "ax" }],
      ["update cx", { previous: "b" }, { previous: "bx" }],
    ])
  })

  it("tells of a row that points to itself that it goes on to, under another key", async () => {
    await fill(["a", "a", "a"])
    await captured.dataSource.manager.update(Step, "a", { code: "b" })

    expect(captured.logged).toEqual([])
    expect(await told()).toEqual([
      ["update a", { code: "a" }, { code: "b" }],
      ["update b", { previous: "a", owner: "a" }, { previous: "b", owner: "b" }],
    ])
  })
})
