import { randomUUID } from "node:crypto"
import type { EntityManager } from "typeorm"
import { Site } from "../../../fixtures/inventory/site"

/** How many rows all writers share. */
export const HOT_ROWS = 5

/** One transaction's work: changes of rows, each counted in the row's name, and an entry of the ledger for each. */
export type Write = (manager: EntityManager) => Promise<void>

/** A transaction that is taken back on purpose: nothing of it may ever arrive. */
export class TakenBack extends Error {}

const raised = (): string => "(name::int + 1)::text"

async function oneRow(manager: EntityManager, slug = anyRow()): Promise<void> {
  const [row] = await manager.query<[{ name: string }]>("SELECT name FROM dcim.site WHERE slug = $1 FOR UPDATE", [slug])
  await manager.update(Site, { slug }, { name: String(Number(row.name) + 1) })
  await note(manager, [slug])
}

/** By a statement that does not name its rows, so that the server writes them into the log. */
async function manyRows(manager: EntityManager): Promise<void> {
  const all = await manager.query<{ slug: string }[]>(
    "SELECT slug FROM dcim.site WHERE slug LIKE 'row-%' AND slug <> $1 ORDER BY slug FOR UPDATE",
    [anyRow()],
  )
  const slugs = all.map(({ slug }) => slug)
  await manager
    .createQueryBuilder()
    .update(Site)
    .set({ name: raised })
    .where("slug IN (:...slugs)", { slugs })
    .execute()
  await note(manager, slugs)
}

/** One row by the application and by the server in turn, with something between that a savepoint takes back. */
async function severalTimes(manager: EntityManager): Promise<void> {
  const slug = anyRow()
  await oneRow(manager, slug)
  await manager.transaction((inner) => takenBack(inner, slug)).catch(onlyTakenBack)
  await manager.createQueryBuilder().update(Site).set({ name: raised }).where("slug = :slug", { slug }).execute()
  await note(manager, [slug])
  await oneRow(manager, slug)
}

async function takenBack(manager: EntityManager, slug?: string): Promise<void> {
  await oneRow(manager, slug)
  throw new TakenBack()
}

async function created(manager: EntityManager): Promise<void> {
  const slug = `own-${randomUUID()}`
  await manager.insert(Site, { slug, name: "1" })
  await note(manager, [slug])
  await oneRow(manager, slug)
}

async function removed(manager: EntityManager): Promise<void> {
  const [row] = await manager.query<{ slug: string }[]>(
    "SELECT slug FROM dcim.site WHERE slug LIKE 'own-%' LIMIT 1 FOR UPDATE SKIP LOCKED",
  )
  if (!row) return created(manager)
  await manager.query("INSERT INTO ledger SELECT slug, name::int + 1 FROM dcim.site WHERE slug = $1", [row.slug])
  await manager.delete(Site, row)
}

const writes: readonly Write[] = [oneRow, oneRow, oneRow, manyRows, severalTimes, takenBack, created, removed]

export function anyWrite(): Write {
  const write = writes[Math.floor(Math.random() * writes.length)] as Write
  return (manager) => write(manager)
}

function anyRow(): string {
  return `row-${Math.floor(Math.random() * HOT_ROWS)}`
}

async function note(manager: EntityManager, slugs: readonly string[]): Promise<void> {
  await manager.query("INSERT INTO ledger SELECT slug, name::int FROM dcim.site WHERE slug = ANY ($1)", [slugs])
}

function onlyTakenBack(thrown: unknown): void {
  if (!(thrown instanceof TakenBack)) throw thrown
}
