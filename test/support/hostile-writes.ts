import type { EntityManager, EntitySchema, ObjectLiteral } from "typeorm"
import type { HostileTable } from "./hostile-tables"

/** A write, and what it gives. */
export type HostileWrite = readonly [name: string, write: (manager: EntityManager) => Promise<unknown>]

/** Every main way to write, on this table. Rows 1 to 6 come and go. */
export function writesTo(table: HostileTable): readonly HostileWrite[] {
  const target = table.entities.at(-1) as EntitySchema<ObjectLiteral>
  const { row, change, key } = table
  const keyOf = (n: number): ObjectLiteral => Object.fromEntries(key.map((name) => [name, row(n)[name] as unknown]))
  const loaded = (manager: EntityManager, n: number): Promise<ObjectLiteral> =>
    manager.findOneByOrFail(target, keyOf(n))
  return [
    ["save() of a new row", (manager) => manager.save(target, row(1))],
    ["save() of two new rows", (manager) => manager.save(target, [row(2), row(3)])],
    ["insert()", (manager) => manager.insert(target, [row(4), row(5)])],
    [
      "save() of a loaded row",
      async (manager) => manager.save(target, Object.assign(await loaded(manager, 1), change(1))),
    ],
    ["save() of a part", (manager) => manager.save(target, { ...keyOf(2), ...change(2) })],
    ["save() of no change", async (manager) => manager.save(target, await loaded(manager, 1))],
    ["update() by key", (manager) => manager.update(target, keyOf(3), change(3))],
    ["update() of all", (manager) => manager.updateAll(target, change(4))],
    ["upsert() of an old row and a new one", (manager) => manager.upsert(target, [row(1), row(6)], [...key])],
    ["upsert() once more", (manager) => manager.upsert(target, [{ ...row(6), ...change(6) }], [...key])],
    [
      "update with RETURNING *",
      (manager) => manager.createQueryBuilder().update(target).set(change(7)).where(keyOf(4)).returning("*").execute(),
    ],
    ...(table.isSoftDeletable ? softDeletes(target, keyOf) : []),
    ["remove()", async (manager) => manager.remove(target, await loaded(manager, 2))],
    ["delete() by key", (manager) => manager.delete(target, keyOf(3))],
    [
      "delete with RETURNING *",
      (manager) => manager.createQueryBuilder().delete().from(target).where(keyOf(4)).returning("*").execute(),
    ],
    ["delete() of nothing", (manager) => manager.delete(target, keyOf(3))],
    ["deleteAll()", (manager) => manager.deleteAll(target)],
    ...(table.entities.length > 1 ? cascades(table, target) : []),
    ...(table.rowsMove ? moves(table, target) : []),
  ]
}

function softDeletes(target: EntitySchema<ObjectLiteral>, keyOf: (n: number) => ObjectLiteral): HostileWrite[] {
  return [
    ["softDelete()", (manager) => manager.softDelete(target, keyOf(5))],
    ["restore()", (manager) => manager.restore(target, keyOf(5))],
    ["softRemove()", async (manager) => manager.softRemove(target, await manager.findOneByOrFail(target, keyOf(1)))],
  ]
}

/** What the parents' foreign key does to the rows. */
function cascades({ row, entities }: HostileTable, target: EntitySchema<ObjectLiteral>): HostileWrite[] {
  const [parent] = entities as [EntitySchema<ObjectLiteral>]
  return [
    ["insert() of rows that point", (manager) => manager.insert(target, [row(1), row(2), row(3)])],
    ["delete() of the row that they point to", (manager) => manager.delete(parent, row(1)["parent"] as ObjectLiteral)],
  ]
}

/** From one partition to another, also by an upsert's key. */
function moves({ row }: HostileTable, target: EntitySchema<ObjectLiteral>): HostileWrite[] {
  return [
    ["insert() of rows that move", (manager) => manager.insert(target, [row(1), row(2), row(3)])],
    ["update() that moves a row", (manager) => manager.update(target, { id: 1 }, { region: 3 })],
    ["update() that moves all", (manager) => manager.updateAll(target, { region: 2 })],
  ]
}
