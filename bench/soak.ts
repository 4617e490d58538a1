import { setTimeout as pause } from "node:timers/promises"
import { Device } from "../fixtures/inventory/device"
import { startRedisServer } from "../test/servers/redis-server"
import type { BenchSources } from "./data-sources"
import { startMeasuredRelay, type RelaySample } from "./measured-relay"
import { slope } from "./slope"

export interface SoakLine {
  readonly minutes: number
  /** Events that were committed, and those that Redis has taken. */
  readonly written: number
  readonly delivered: number
  /** Resident memory of the writing process and of the relay's, in megabytes. */
  readonly writerMb: number
  readonly relayMb: number
}

export interface Soak {
  /** Events that were committed, of which all were delivered. */
  readonly written: number
  /** Megabytes that each process grows by in a minute, its first quarter left out. */
  readonly writerSlopeMb: number
  readonly relaySlopeMb: number
}

/** Between two transactions, in milliseconds. */
const PAUSE_MS = 5

/** So often there is a line, in milliseconds. */
const LINE_MS = 10_000

/** Writes through the outbox for so long, with a relay that delivers to a Redis stream. */
export async function soak(
  { logged, bare }: BenchSources,
  {
    url,
    minutes,
    onLine,
  }: { readonly url: string; readonly minutes: number; readonly onLine: (line: SoakLine) => void },
): Promise<Soak> {
  await bare.query("TRUNCATE change_events.log, change_events.cursor")
  const redis = await startRedisServer()
  let last: RelaySample = { atMs: 0, delivered: 0, rssMb: 0 }
  const relay = startMeasuredRelay({ postgres: url, redis: redis.url }, (sample) => (last = sample))
  const lines: SoakLine[] = []
  const began = performance.now()
  let written = 0
  const timer = setInterval(() => {
    const passed = (performance.now() - began) / 60_000
    const writerMb = process.memoryUsage().rss / 1e6
    const line = { minutes: passed, written, delivered: last.delivered, writerMb, relayMb: last.rssMb }
    lines.push(line)
    onLine(line)
  }, LINE_MS)
  const devices = logged.getRepository(Device)
  const device = await devices.save(devices.create({ name: "soak", serial: "soak" }))
  written++
  while (performance.now() - began < minutes * 60_000) {
    await devices.update({ id: device.id }, { comments: `comment ${written}` })
    written++
    await pause(PAUSE_MS)
  }
  while (last.delivered < written) await pause(LINE_MS / 100)
  clearInterval(timer)
  await relay.stop()
  await redis.remove()
  return { written, ...slopes(lines) }
}

function slopes(lines: readonly SoakLine[]): Pick<Soak, "writerSlopeMb" | "relaySlopeMb"> {
  const settled = lines.slice(Math.floor(lines.length / 4))
  return {
    writerSlopeMb: slope(settled.map(({ minutes, writerMb }) => [minutes, writerMb] as const)),
    relaySlopeMb: slope(settled.map(({ minutes, relayMb }) => [minutes, relayMb] as const)),
  }
}
