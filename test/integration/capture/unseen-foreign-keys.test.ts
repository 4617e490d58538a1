import { EntitySchema, type ObjectLiteral } from "typeorm"
import type { ChangeEventsOptions } from "../../../src"
import { describeOnEveryPostgres } from "../../servers/test-database"
import { captureDatabase } from "../../support/captured-database"

const parent = new EntitySchema<ObjectLiteral>({ name: "parent", columns: { id: { type: "int", primary: true } } })

const child = (
  name: string,
  onDelete: "CASCADE" | "SET NULL" | "RESTRICT",
  onUpdate: "CASCADE" | "NO ACTION",
): EntitySchema<ObjectLiteral> =>
  new EntitySchema<ObjectLiteral>({
    name,
    columns: { id: { type: "int", primary: true } },
    relations: {
      owner: { type: "many-to-one", target: "parent", joinColumn: { name: "owner_id" }, onDelete, onUpdate },
    },
  })

const entities = [
  parent,
  child("deleted", "CASCADE", "NO ACTION"),
  child("cleared", "SET NULL", "CASCADE"),
  child("kept", "RESTRICT", "NO ACTION"),
]

describeOnEveryPostgres((version) => {
  async function logged(changes: Partial<ChangeEventsOptions>): Promise<readonly string[]> {
    const captured = await captureDatabase(version, { changes, dataSource: { entities, synchronize: true } })
    try {
      const { manager } = captured.dataSource
      await manager.insert("deleted", { id: 1 })
      await manager.transaction((inner) => inner.insert("cleared", { id: 1 }))
      return captured.logged.filter((line) => line.includes("FOREIGN_KEYS_UNSEEN"))
    } finally {
      await captured.close()
    }
  }

  it("are named once, with columns, action, reason and remedy", async () => {
    const lines = await logged({ entities: ["deleted", "cleared", "kept"] })

    expect(lines).toHaveLength(1)
    expect(lines[0]).toContain(
      "deleted: owner_id → parent ON DELETE CASCADE (parent is not captured by the ORM; remedy: ",
    )
    expect(lines[0]).toContain(
      "cleared: owner_id → parent ON DELETE SET NULL (parent is not captured by the ORM; remedy: ",
    )
    expect(lines[0]).toContain("cleared: owner_id → parent ON UPDATE CASCADE (")
    expect(lines[0]).not.toContain("kept")
  })

  it("are not named where somebody tells of them, or nobody wants to know", async () => {
    expect(await logged({ entities: ["parent", "deleted", "kept"] })).toEqual([])
    expect(await logged({ entities: ["kept"] })).toEqual([])
    expect(await logged({ entities: ["deleted", "cleared"], onUncaptured: "ignore" })).toEqual([])
  })
})
