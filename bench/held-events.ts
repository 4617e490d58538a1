// Run as a process of its own, because what is measured is its memory: `held-events.js <url>`.
import "reflect-metadata"
import { DataSource } from "typeorm"
import { fixtureOptions } from "../fixtures/fixture-options"
import { Device } from "../fixtures/inventory/device"
import { changeEvents } from "../src"
import { acceptingBroker } from "./data-sources"

export interface HeldEvents {
  readonly events: number
  /** Most memory of the process beyond what it had before, in megabytes: until the commit, and until all is delivered. */
  readonly atCommitMb: number
  readonly untilDeliveredMb: number
}

const ROWS = 10_000
const STATEMENTS = 10

async function main(url: string): Promise<HeldEvents> {
  const changes = changeEvents({ brokers: { accepting: acceptingBroker } })
  const dataSource = await new DataSource({ ...fixtureOptions, url, subscribers: [changes.subscriber] }).initialize()
  const [before, most] = watchMemory()
  await dataSource.transaction(async (manager) => {
    for (let index = 0; index < STATEMENTS; index++)
      await manager.update(Device, { name: "held" }, { comments: `${index}` })
  })
  const atCommitMb = (most() - before) / 1e6
  await changes.flush({ timeoutMs: 60_000 })
  const events = changes.status().brokers["accepting"]?.delivered ?? 0
  await dataSource.destroy()
  return { events, atCommitMb, untilDeliveredMb: (most() - before) / 1e6 }
}

function watchMemory(): [before: number, most: () => number] {
  const before = process.memoryUsage().rss
  let most = before
  const look = (): number => (most = Math.max(most, process.memoryUsage().rss))
  setInterval(look, 10).unref()
  return [before, look]
}

/** The rows that one transaction then updates ten times. */
export const fillHeldRows = `INSERT INTO dcim.device (name, serial, version) SELECT 'held', 'held-' || n, 1 FROM generate_series(1, ${ROWS}) n`

if (require.main === module)
  void main(process.argv[2] as string).then((held) => process.stdout.write(JSON.stringify(held)))
