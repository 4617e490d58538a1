// Run as a process of its own, because what is measured is its memory: `million-logged-rows.ts <url>`.
import "reflect-metadata"
import { DataSource } from "typeorm"
import { fixtureOptions } from "../../fixtures/fixture-options"
import { Tag } from "../../fixtures/inventory/tag"
import { changeEvents } from "../../src"

export interface MillionLoggedRows {
  readonly affected: readonly (number | null | undefined)[]
  /** Most memory of the process beyond what it had before, in megabytes. */
  readonly grewByMb: number
  /** Of the UPDATE, in seconds: bare, then captured, several times in turn. */
  readonly bare: readonly number[]
  readonly captured: readonly number[]
  readonly reports: readonly string[]
}

const TURNS = 1

async function main(url: string): Promise<MillionLoggedRows> {
  const reports: string[] = []
  const note = (line: string): void => void reports.push(line)
  const changes = changeEvents({ delivery: "outbox", logger: { warn: note, error: note } })
  const plain = await new DataSource({ ...fixtureOptions, url }).initialize()
  const logged = await new DataSource({ ...fixtureOptions, url, subscribers: [changes.subscriber] }).initialize()
  await logged.getRepository(Tag).update({ name: "nobody" }, { color: "ffffff" })

  const before = process.memoryUsage().rss
  let most = before
  const timer = setInterval(() => (most = Math.max(most, process.memoryUsage().rss)), 10)
  const affected: (number | null | undefined)[] = []
  const times = { bare: [] as number[], captured: [] as number[] }
  for (let turn = 0; turn < TURNS; turn++) {
    for (const [name, dataSource] of [
      ["bare", plain],
      ["captured", logged],
    ] as const) {
      await plain.query("VACUUM extras.tag")
      const start = performance.now()
      const { affected: count } = await dataSource
        .getRepository(Tag)
        .createQueryBuilder()
        .update()
        .set({ color: `${name === "bare" ? "aaaaa" : "bbbbb"}${turn}` })
        .execute()
      times[name].push((performance.now() - start) / 1_000)
      affected.push(count)
    }
  }
  clearInterval(timer)
  await Promise.all([plain.destroy(), logged.destroy()])
  return { affected, grewByMb: (most - before) / 1e6, ...times, reports }
}

void main(process.argv[2] as string).then((result) => process.stdout.write(JSON.stringify(result)))
