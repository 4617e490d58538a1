import fc from "fast-check"
import { In, type DataSource, type EntityManager } from "typeorm"
import { Book } from "../../fixtures/hostile/book"
import { ClosureNode } from "../../fixtures/hostile/closure-node"
import { Shelf } from "../../fixtures/hostile/shelf"
import { Device } from "../../fixtures/inventory/device"
import { Interface } from "../../fixtures/inventory/interface"
import { IPAddress } from "../../fixtures/inventory/ip-address"
import { Site } from "../../fixtures/inventory/site"
import { Tag } from "../../fixtures/inventory/tag"

/** One write, by name, and three numbers that choose its rows and values. */
export type RandomWrite = readonly [name: string, a: number, b: number, c: number]

/** A transaction, or without one a single write. `undone` writes are made behind a savepoint and taken back. */
export interface RandomTransaction {
  readonly writes: readonly RandomWrite[]
  readonly undone: readonly RandomWrite[]
  readonly end: "commit" | "roll back" | "no transaction"
}

const KEYS = 6

const deviceId = (n: number): number => 1 + (n % KEYS)
const siteId = (n: number): number => 1 + (n % KEYS)
const interfaceId = (n: number): number => 1 + (n % (2 * KEYS))
const tagId = (n: number): string => `00000000-0000-4000-8000-00000000000${n % KEYS}`
const addressId = (n: number): string => `00000000-0000-4000-9000-00000000000${n % KEYS}`
const nodeId = (n: number): number => 1 + (n % KEYS)
const shelfCode = (n: number): string => `shelf ${n % KEYS}`
const tagsOf = (n: number): { id: string }[] => [...new Set([tagId(n), tagId(n >> 2)])].map((id) => ({ id }))

const relation = (manager: EntityManager, property: string, n: number) =>
  manager.createQueryBuilder().relation(Device, property).of(deviceId(n))

/**
 * TypeORM gives what is inserted no other key than a sequence's. Of these the sequences give few, again and again, so that a row that was deleted comes
 * back under its key, and what is written by key finds something.
 */
export async function giveFewKeys(dataSource: DataSource): Promise<void> {
  const tables: readonly (readonly [table: string, keys: number])[] = [
    ["dcim.site", KEYS],
    ["dcim.device", KEYS],
    ["dcim.interface", 2 * KEYS],
    ["hostile.closure_node", KEYS],
  ]
  for (const [table, keys] of tables) {
    const [{ sequence }] = await dataSource.query<[{ sequence: string }]>(
      "SELECT pg_get_serial_sequence($1, 'id') AS sequence",
      [table],
    )
    await dataSource.query(`ALTER SEQUENCE ${sequence} MAXVALUE ${keys} CYCLE`)
  }
}

/** Every way to write that an application has. What finds no row, or a row that is there already, is a write too. */
const writes: Readonly<Record<string, (manager: EntityManager, a: number, b: number, c: number) => Promise<unknown>>> =
  {
    "save a new device": (manager, a, b) =>
      manager.save(Device, { id: deviceId(a), name: `d${b}`, comments: null, tags: tagsOf(b) }),
    "save a loaded device": async (manager, a, b, c) => {
      const device = await manager.findOne(Device, { where: { id: deviceId(a) }, relations: { tags: true } })
      if (device) await manager.save(Object.assign(device, { position: b, tags: b % 2 ? tagsOf(c) : device.tags }))
    },
    "save a part": (manager, a, b) => manager.save(Device, { id: deviceId(a), name: `part ${b}` }),
    "save a cascade": async (manager, a, b) => {
      const device = await manager.findOne(Device, { where: { id: deviceId(a) }, relations: { interfaces: true } })
      if (!device) return
      const kept = device.interfaces.slice(b % 2)
      await manager.save(
        Object.assign(device, { interfaces: [...kept, manager.create(Interface, { name: `eth${b}` })] }),
      )
    },
    insert: (manager, a, b) => manager.insert(Site, { name: `s${b}`, slug: `slug${a % KEYS}` }),
    "insert or ignore": (manager, a, b) =>
      manager
        .createQueryBuilder()
        .insert()
        .into(Tag)
        .values([
          { id: tagId(a), name: `t${a % KEYS}` },
          { id: tagId(b), name: `t${b % KEYS}` },
        ])
        .orIgnore()
        .execute(),
    upsert: (manager, a, b) =>
      manager.upsert(Tag, { id: tagId(a), name: `t${a % KEYS}`, color: `00000${b % 10}` }, ["id"]),
    "upsert several": (manager, a, b) =>
      manager.upsert(
        IPAddress,
        [...new Set([addressId(a), addressId(b)])].map((id) => ({
          id,
          address: `10.0.0.${id.at(-1)}`,
          dnsName: `n${b}`,
        })),
        ["id"],
      ),
    "update by key": (manager, a, b) => manager.update(Site, siteId(a), { name: `renamed ${b}` }),
    "update by a condition": (manager, a, b) =>
      manager.update(Device, { site: { id: siteId(a) } }, { comments: `at ${b}` }),
    "update with SQL": (manager, a) =>
      manager
        .createQueryBuilder()
        .update(Device)
        .set({ comments: () => "coalesce(comments, '') || '+'" })
        .where({ id: In([deviceId(a), deviceId(a + 1)]) })
        .execute(),
    "point to a site": (manager, a, b) => relation(manager, "site", a).set(siteId(b)),
    increment: (manager, a, b) => manager.increment(Interface, { deviceId: deviceId(a) }, "mtu", b),
    "insert an interface": (manager, a, b, c) =>
      manager.insert(Interface, { name: `if${a}`, mtu: b, deviceId: deviceId(c) }),
    "insert a member of a group": (manager, a, b, c) =>
      manager.insert(Interface, { name: `if${a}`, deviceId: deviceId(c), lag: { id: interfaceId(b) } }),
    "join a group": (manager, a, b) => manager.update(Interface, interfaceId(a), { lag: { id: interfaceId(b) } }),
    "put an address on an interface": (manager, a, b) =>
      manager.update(IPAddress, addressId(a), { interface: { id: interfaceId(b) } }),
    "add a tag": (manager, a, b) => relation(manager, "tags", a).add(tagId(b)),
    "remove a tag": (manager, a, b) => relation(manager, "tags", a).remove(tagId(b)),
    "remove a device": async (manager, a) => {
      const device = await manager.findOneBy(Device, { id: deviceId(a) })
      if (device) await manager.remove(device)
    },
    "delete a site, which devices point to": (manager, a) => manager.delete(Site, siteId(a)),
    "delete a device, and its interfaces with it": (manager, a) => manager.delete(Device, deviceId(a)),
    "delete a group and its members": (manager, a) =>
      manager.delete(Interface, [{ id: interfaceId(a) }, { lag: { id: interfaceId(a) } }]),
    "delete interfaces by a condition": (manager, a) => manager.delete(Interface, { deviceId: deviceId(a) }),
    "delete a tag, which devices list": (manager, a) => manager.delete(Tag, tagId(a)),
    "soft-delete": (manager, a) => manager.softDelete(IPAddress, addressId(a)),
    restore: (manager, a) => manager.restore(IPAddress, addressId(a)),
    "soft-remove": async (manager, a) => {
      const address = await manager.findOneBy(IPAddress, { id: addressId(a) })
      if (address) await manager.softRemove(address)
    },
    "plant a node": async (manager, a, b) => {
      const parent = a % 3 === 0 ? null : await manager.findOneBy(ClosureNode, { id: nodeId(b) })
      await manager.save(manager.create(ClosureNode, { name: `n${b}`, parent }))
    },
    "move a node": async (manager, a, b) => {
      const node = await manager.findOneBy(ClosureNode, { id: nodeId(a) })
      const parent = await manager.findOneBy(ClosureNode, { id: nodeId(b) })
      if (node && parent && a % KEYS < b % KEYS) await manager.save(Object.assign(node, { parent }))
    },
    "delete a node, and its closure rows with it": (manager, a) => manager.delete(ClosureNode, nodeId(a)),
    "set up a shelf": (manager, a, b) => manager.upsert(Shelf, { code: shelfCode(a), label: `l${b}` }, ["code"]),
    "put a book on a shelf": (manager, a, b, c) =>
      manager.insert(Book, { title: `b${c}`, shelf: { code: shelfCode(a) }, home: { code: shelfCode(b) } }),
    "give a shelf another key, and its books with it": (manager, a, b) =>
      manager.update(Shelf, { code: shelfCode(a) }, { code: shelfCode(b) }),
    "delete a shelf, and its books with it": (manager, a) => manager.delete(Shelf, { code: shelfCode(a) }),
    "delete for good": (manager, a) => manager.delete(IPAddress, addressId(a)),
  }

/** More often than the others, so that these find something. */
const MAKING = [
  "save a new device",
  "insert",
  "upsert",
  "upsert several",
  "insert an interface",
  "plant a node",
  "set up a shelf",
  "put a book on a shelf",
]

const write: fc.Arbitrary<RandomWrite> = fc.tuple(
  fc.constantFrom(...Object.keys(writes), ...MAKING, ...MAKING),
  fc.nat(30),
  fc.nat(30),
  fc.nat(30),
)

export const randomTransaction: fc.Arbitrary<RandomTransaction> = fc.record({
  writes: fc.array(write, { minLength: 1, maxLength: 6 }),
  undone: fc.oneof(
    { weight: 3, arbitrary: fc.constant([]) },
    { weight: 1, arbitrary: fc.array(write, { maxLength: 3 }) },
  ),
  end: fc.oneof(
    { weight: 6, arbitrary: fc.constant("commit" as const) },
    { weight: 1, arbitrary: fc.constant("roll back" as const) },
    { weight: 3, arbitrary: fc.constant("no transaction" as const) },
  ),
})

/** What the server refuses is part of the game: a key that is taken, a row that is not there, a deadlock. */
const refused = (): undefined => undefined

/** Carries it out. Gives whether it was committed. */
export async function carryOut(dataSource: DataSource, transaction: RandomTransaction): Promise<boolean> {
  const { end, undone } = transaction
  if (end === "no transaction") {
    for (const each of transaction.writes) await carryOutWrite(dataSource.manager, each).catch(refused)
    return true
  }
  const work = dataSource.transaction(async (manager) => {
    for (const each of transaction.writes) await behindSavepoint(manager, [each], false)
    if (undone.length > 0) await behindSavepoint(manager, undone, true)
    if (end === "roll back") throw new Error("rolled back")
  })
  return work.then(
    () => true,
    () => false,
  )
}

/** A refused write must not end the transaction. */
async function behindSavepoint(outer: EntityManager, list: readonly RandomWrite[], isUndone: boolean): Promise<void> {
  await outer
    .transaction(async (manager) => {
      for (const each of list) await carryOutWrite(manager, each)
      if (isUndone) throw new Error("undone")
    })
    .catch(refused)
}

async function carryOutWrite(manager: EntityManager, [name, a, b, c]: RandomWrite): Promise<void> {
  await writes[name]?.(manager, a, b, c)
}
