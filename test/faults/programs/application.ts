import "reflect-metadata"
import { DataSource, type EntityManager } from "typeorm"
import { fixtureOptions } from "../../../fixtures/fixture-options"
import { Site } from "../../../fixtures/inventory/site"
import { changeEvents } from "../../../src"

// Writes rows and, in the same transactions, a ledger of what it wrote, until so many transactions are committed or it is killed.
// KILL_AT=in-transaction | at-commit: kills itself in the middle of the tenth transaction, or right after its COMMIT was sent.

const { URL_OF_DATABASE: url = "", TRANSACTIONS = "100", WRITERS = "4", KILL_AT = "" } = process.env
const ROWS = 5

const silent = { warn: () => undefined, error: () => undefined }
const changes = changeEvents({ delivery: "outbox", logger: silent })
const dataSource = new DataSource({
  ...fixtureOptions,
  url,
  poolSize: Number(WRITERS),
  subscribers: [changes.subscriber],
})

let begun = 0
let committed = 0

async function writeOnce(manager: EntityManager): Promise<void> {
  const slug = `row-${Math.floor(Math.random() * ROWS)}`
  const [row] = await manager.query<[{ name: string }]>("SELECT name FROM dcim.site WHERE slug = $1 FOR UPDATE", [slug])
  const next = Number(row.name) + 1
  await manager.update(Site, { slug }, { name: String(next) })
  await manager.query("INSERT INTO ledger (slug, n) VALUES ($1, $2)", [slug, next])
  if (++begun < 10) return
  if (KILL_AT === "in-transaction") process.kill(process.pid, "SIGKILL")
  if (KILL_AT === "at-commit") setImmediate(() => process.kill(process.pid, "SIGKILL"))
}

async function write(): Promise<void> {
  while (committed < Number(TRANSACTIONS)) {
    await dataSource.transaction(writeOnce).then(
      () => committed++,
      // The ledger knows whether it was committed after all.
      () => new Promise((resolve) => setTimeout(resolve, 20)),
    )
  }
}

async function main(): Promise<void> {
  await dataSource.initialize()
  await Promise.all(Array.from({ length: Number(WRITERS) }, write))
  process.exit(0)
}

void main()
