import { Client } from "pg"
import { Device } from "../fixtures/inventory/device"
import { removeTriggers } from "../src/triggers/trigger-migration"
import { triggersOf } from "../src/triggers/triggered-tables"
import type { BenchSources } from "./data-sources"
import { compare, type Comparison, type Variant } from "./interleaved"

const ROWS = 10_000

const names = ["bare", "control", "triggered"] as const

/** Statements of raw `pg` on three copies of a table, of which one has the triggers that the package makes for it. */
export async function triggers({ bare }: BenchSources, url: string): Promise<readonly Comparison[]> {
  const clients = await Promise.all(names.map(() => connected(url)))
  for (const name of names) {
    await bare.query(`CREATE TABLE bench_${name} (LIKE dcim.device INCLUDING ALL)`)
    await bare.query(
      `INSERT INTO bench_${name} (name, serial, version) SELECT 'device', 'S' || n, 1 FROM generate_series(1, ${ROWS}) AS n`,
    )
    await bare.query(`VACUUM ANALYZE bench_${name}`)
  }
  const [made] = triggersOf(bare, { entities: [{ entity: Device, capture: "triggers" }] })
  if (!made) throw new Error("there are no triggers for the table")
  // They are those of the entity's own table, which other scenarios use.
  for (const statement of made.create)
    await bare.query(statement.replaceAll(`ON ${made.table} `, "ON bench_triggered "))
  try {
    return [
      await compare("trigger: update of one row", updates(clients, "WHERE id = 1")),
      await compare("trigger: update of 10,000 rows", updates(clients, ""), { blocks: 11, operations: 1, warmUp: 2 }),
    ]
  } finally {
    await Promise.all(clients.map((client) => client.end()))
    for (const name of names) await bare.query(`DROP TABLE bench_${name}`)
    await bare.query(removeTriggers([]))
    await bare.query("TRUNCATE change_events.log, change_events.statement")
  }
}

function updates(clients: readonly Client[], where: string): Record<string, Variant> {
  let serial = 0
  return Object.fromEntries(
    names.map((name, at) => {
      const statement = { name: `update ${where}`, text: `UPDATE bench_${name} SET comments = $1 ${where}` }
      return [name, async () => void (await clients[at]?.query({ ...statement, values: [`comment ${serial++}`] }))]
    }),
  )
}

async function connected(url: string): Promise<Client> {
  const client = new Client(url)
  await client.connect()
  return client
}
