// Run as a process of its own, because what is measured is its memory: `million-rows.ts <url> <captured|bare>`.
import "reflect-metadata"
import { DataSource } from "typeorm"
import { fixtureOptions } from "../../fixtures/fixture-options"
import { Tag } from "../../fixtures/inventory/tag"
import { changeEvents } from "../../src"
import { memoryBroker } from "../../src/testing"

export interface MillionRows {
  readonly affected: readonly (number | null | undefined)[]
  /** Most memory of the process beyond what it had before, in megabytes. */
  readonly grewByMb: number
  readonly reports: readonly string[]
  readonly uncaptured: { readonly statements: number; readonly rows: number }
  readonly events: number
}

const ROWS = 1_000_000

async function main(url: string, isCaptured: boolean): Promise<MillionRows> {
  const reports: string[] = []
  const broker = memoryBroker()
  const logger = { warn: (line: string) => void reports.push(line), error: (line: string) => void reports.push(line) }
  const changes = changeEvents({ brokers: { broker }, logger })
  const dataSource = new DataSource({ ...fixtureOptions, url, subscribers: isCaptured ? [changes.subscriber] : [] })
  await dataSource.initialize()
  const tags = dataSource.getRepository(Tag)
  await tags.update({ name: "nobody" }, { color: "ffffff" })

  const before = process.memoryUsage().rss
  let most = before
  const timer = setInterval(() => (most = Math.max(most, process.memoryUsage().rss)), 10)
  const updated = await tags.update({ color: "000000" }, { color: "111111" })
  const deleted = await tags.delete({ color: "111111" })
  clearInterval(timer)

  await changes.flush()
  const { uncaptured } = changes.status()
  await dataSource.destroy()
  const grewByMb = (most - before) / 1e6
  return {
    affected: [updated.affected, deleted.affected],
    grewByMb,
    reports,
    uncaptured,
    events: broker.messages.length,
  }
}

/** Fills the table before the process under test starts. */
export const fillWithRows = `INSERT INTO extras.tag (name, color) SELECT 'tag-' || n, '000000' FROM generate_series(1, ${ROWS}) n`

if (require.main === module) {
  const [url, mode] = process.argv.slice(2)
  void main(url as string, mode === "captured").then((result) => process.stdout.write(JSON.stringify(result)))
}
