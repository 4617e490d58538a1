import { join } from "node:path"
import { setTimeout as pause } from "node:timers/promises"
import type { DataSource } from "typeorm"
import { Device } from "../fixtures/inventory/device"
import { startRedisServer } from "../test/servers/redis-server"
import { CommitStamps, quantiles, type StreamReader } from "./commit-stamps"
import type { BenchSources } from "./data-sources"
import { startMeasuredRelay, type RelaySample } from "./measured-relay"
import { slope } from "./slope"
import { startWorker } from "./worker"

export interface SoakLine {
  readonly minutes: number
  /** Events that were committed, and those that Redis has taken. */
  readonly written: number
  readonly delivered: number
  /** From COMMIT to a reader of the stream since the last line, in milliseconds. */
  readonly p50: number
  readonly p99: number
  /** Resident memory of the writing process and of the relay's, in megabytes. */
  readonly writerMb: number
  readonly relayMb: number
  /** The log with its indexes, in megabytes. */
  readonly logMb: number
  /** Dead rows of the log and of the cursor together. */
  readonly deadRows: number
}

export interface Soak {
  /** Events that were committed, of which all were delivered. */
  readonly written: number
  /** Megabytes that each process grows by in a minute, its first quarter left out. */
  readonly writerSlopeMb: number
  readonly relaySlopeMb: number
}

export interface SoakOptions {
  readonly url: string
  readonly minutes: number
  readonly onLine: (line: SoakLine) => void
}

/** Between two transactions, in milliseconds. */
const PAUSE_MS = 5

/** So often there is a line: every ten seconds, or each sixtieth of the whole. */
const lineMs = (minutes: number): number => Math.max(10_000, minutes * 1_000)

/** Writes through the outbox for so long, with a relay that delivers to a Redis stream. */
export async function soak({ logged, bare }: BenchSources, { url, minutes, onLine }: SoakOptions): Promise<Soak> {
  await bare.query("TRUNCATE change_events.log, change_events.cursor")
  const redis = await startRedisServer()
  let last: RelaySample = { atMs: 0, delivered: 0, rssMb: 0 }
  const relay = startMeasuredRelay({ postgres: url, redis: redis.url }, (sample) => (last = sample))
  const reader: StreamReader = await startWorker(join(__dirname, "stream-reader.js"), [redis.url])
  const lines: SoakLine[] = []
  const stamps = new CommitStamps()
  const began = performance.now()
  let written = 1
  const look = async (): Promise<void> => {
    const latencies = quantiles(stamps.latencies(await reader.ask(0)))
    const [writerMb, relayMb] = [process.memoryUsage().rss / 1e6, last.rssMb]
    const passed = (performance.now() - began) / 60_000
    const figures = { ...latencies, writerMb, relayMb, ...(await logFigures(bare)) }
    lines.push({ minutes: passed, written, delivered: last.delivered, ...figures })
    onLine(lines.at(-1) as SoakLine)
  }
  const devices = logged.getRepository(Device)
  const device = await devices.save(devices.create({ name: "soak", serial: "soak" }))
  for (let nextLine = lineMs(minutes); performance.now() - began < minutes * 60_000;) {
    await stamps.write(logged, device)
    written++
    await pause(PAUSE_MS)
    if (performance.now() - began < nextLine) continue
    nextLine += lineMs(minutes)
    await look()
  }
  while (last.delivered < written) await pause(100)
  await look()
  await reader.stop()
  await relay.stop()
  await redis.remove()
  return { written, ...slopes(lines) }
}

async function logFigures(bare: DataSource): Promise<Pick<SoakLine, "logMb" | "deadRows">> {
  const [figures] = await bare.query<{ bytes: string; dead: string }[]>(
    `SELECT pg_total_relation_size('change_events.log')::text AS bytes, sum(n_dead_tup)::text AS dead FROM pg_stat_user_tables
     WHERE schemaname = 'change_events' AND relname IN ('log', 'cursor')`,
  )
  return { logMb: Number(figures?.bytes) / 1e6, deadRows: Number(figures?.dead) }
}

function slopes(lines: readonly SoakLine[]): Pick<Soak, "writerSlopeMb" | "relaySlopeMb"> {
  const settled = lines.slice(Math.floor(lines.length / 4))
  return {
    writerSlopeMb: slope(settled.map(({ minutes, writerMb }) => [minutes, writerMb] as const)),
    relaySlopeMb: slope(settled.map(({ minutes, relayMb }) => [minutes, relayMb] as const)),
  }
}
