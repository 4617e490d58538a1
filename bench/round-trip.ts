import { join } from "node:path"
import type { BenchSources } from "./data-sources"
import { connectSources } from "./data-sources"
import type { Comparison } from "./interleaved"
import { saveInsert, saveUpdate } from "./scenarios"
import { startWorker } from "./worker"

const EACH_WAY_MS = 0.5

/** save() with a millisecond to the database and back. */
export async function roundTrip(url: string): Promise<readonly Comparison[]> {
  const target = new URL(url)
  const file = join(__dirname, "slow-network.js")
  const network = await startWorker<"port", number>(file, [target.port || "5432", String(EACH_WAY_MS)])
  const far = new URL(url)
  far.hostname = "127.0.0.1"
  far.port = String(await network.ask("port"))
  const sources: BenchSources = await connectSources(far.href)
  try {
    const options = { blocks: 9, operations: 60, warmUp: 200 }
    const compared = [await saveInsert(sources, options), await saveUpdate(sources, options)]
    return compared.map((each) => ({ ...each, name: `${each.name}, ${2 * EACH_WAY_MS} ms round trip` }))
  } finally {
    await sources.close()
    await network.stop()
  }
}
