import { startRedisServer } from "../test/servers/redis-server"
import type { BenchSources } from "./data-sources"
import { bytesOf, logCopies, loggedEvent } from "./log-copies"
import { startMeasuredRelay, type RelaySample } from "./measured-relay"
import { slope } from "./slope"

const EVENTS = 1_000_000
const STEP = 100_000

/** What a relay needs for a log that nobody read for long. */
export interface Backlog {
  readonly events: number
  /** Bytes of an event in the log: `event` and `record`. */
  readonly eventBytes: number
  /** Events a second in each hundred thousand, in their order. */
  readonly rates: readonly number[]
  /** The relay's memory after each of them, in megabytes. */
  readonly rssMb: readonly number[]
  /** Megabytes that it grows by for each hundred thousand events, the first one left out. */
  readonly rssSlopeMb: number
}

/** 1,000,000 events that wait in the log, and one relay that delivers them to a Redis stream. */
export async function backlog(sources: BenchSources, url: string): Promise<Backlog> {
  const eventBytes = await fillLog(sources)
  const redis = await startRedisServer()
  try {
    const steps = await drain({ postgres: url, redis: redis.url })
    return { events: EVENTS, eventBytes, ...figures(steps) }
  } finally {
    await redis.remove()
  }
}

async function fillLog(sources: BenchSources): Promise<number> {
  const event = await loggedEvent(sources)
  await logCopies(sources.bare.query.bind(sources.bare), event, EVENTS)
  await sources.bare.query("VACUUM ANALYZE change_events.log")
  return bytesOf(event)
}

/** The first sample behind each step. */
function drain(urls: { readonly postgres: string; readonly redis: string }): Promise<readonly RelaySample[]> {
  return new Promise((resolve, reject) => {
    const steps: RelaySample[] = []
    const relay = startMeasuredRelay(urls, (sample) => {
      // The first one tells when delivery began, and with how much memory.
      if (steps.length === 0 ? sample.delivered > 0 : sample.delivered >= steps.length * STEP) steps.push(sample)
      if (steps.length > EVENTS / STEP && sample.delivered >= EVENTS) relay.stop().then(() => resolve(steps), reject)
    })
  })
}

function figures(steps: readonly RelaySample[]): Pick<Backlog, "rates" | "rssMb" | "rssSlopeMb"> {
  const pairs = steps.slice(1).map((step, index) => [steps[index] as RelaySample, step] as const)
  return {
    rates: pairs.map(([from, to]) => ((to.delivered - from.delivered) / (to.atMs - from.atMs)) * 1_000),
    rssMb: steps.slice(1).map(({ rssMb }) => rssMb),
    rssSlopeMb: slope(steps.slice(2).map(({ delivered, rssMb }) => [delivered / STEP, rssMb] as const)),
  }
}
