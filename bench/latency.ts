import { join } from "node:path"
import { setTimeout as pause } from "node:timers/promises"
import { DataSource, type DataSourceOptions } from "typeorm"
import { fixtureOptions } from "../fixtures/fixture-options"
import { Device } from "../fixtures/inventory/device"
import { changeEvents } from "../src"
import { redisStreamBroker } from "../src/brokers/redis-stream"
import { startRedisServer } from "../test/servers/redis-server"
import { CommitStamps, quantiles, type Quantiles, type StreamReader } from "./commit-stamps"
import { spread, type Ratio } from "./interleaved"
import { startMeasuredRelay } from "./measured-relay"
import { STREAM } from "./stream-reader"
import { startWorker } from "./worker"

/** From COMMIT being sent to a reader of the stream having the event, in milliseconds. */
export interface Latency {
  readonly name: string
  /** Medians and quartiles over the blocks. */
  readonly p50: Ratio
  readonly p99: Ratio
}

const RATE = 500
const BLOCKS = 5
const BLOCK_MS = 5_000
const CONNECTIONS = 10

/** 500 transactions a second, whether the ones before are done or not; each tells its number in its event. */
export async function latency(url: string): Promise<readonly Latency[]> {
  const redis = await startRedisServer()
  const relay = startMeasuredRelay({ postgres: url, redis: redis.url }, () => undefined)
  const reader: StreamReader = await startWorker(join(__dirname, "stream-reader.js"), [redis.url])
  const writers = {
    outbox: changeEvents({ delivery: "outbox" }),
    direct: changeEvents({ brokers: { redis: redisStreamBroker({ url: redis.url, stream: STREAM }) } }),
  }
  const measured: Record<string, Quantiles[]> = { outbox: [], direct: [] }
  const open: DataSource[] = []
  try {
    for (const changes of Object.values(writers)) open.push(await writingSource(url, changes.subscriber))
    for (let block = 0; block <= BLOCKS; block++) {
      for (const [at, name] of Object.keys(writers).entries()) {
        const quantiles = await measureBlock(open[at] as DataSource, reader)
        // The first block is there to warm up.
        if (block > 0) measured[name]?.push(quantiles)
      }
    }
  } finally {
    for (const changes of Object.values(writers)) await changes.close()
    for (const dataSource of open) await dataSource.destroy()
    for (const each of [relay, reader]) await each.stop()
    await redis.remove()
  }
  return Object.entries(measured).map(([name, blocks]) => {
    return { name, p50: spread(blocks.map(({ p50 }) => p50)), p99: spread(blocks.map(({ p99 }) => p99)) }
  })
}

function writingSource(url: string, subscriber: new () => object): Promise<DataSource> {
  const options = { ...fixtureOptions, url, poolSize: CONNECTIONS, subscribers: [subscriber] }
  return new DataSource(options as DataSourceOptions).initialize()
}

async function measureBlock(dataSource: DataSource, reader: StreamReader): Promise<Quantiles> {
  const count = (RATE * BLOCK_MS) / 1_000
  const devices = dataSource.getRepository(Device)
  const rows: Device[] = []
  for (let at = 0; at < CONNECTIONS * 2; at++) rows.push(await devices.save(devices.create({ name: "latency" })))
  const stamps = new CommitStamps()
  const arrived = reader.ask(count)
  const began = performance.now()
  const writes: Promise<void>[] = []
  while (writes.length < count) {
    const due = Math.min(count, ((performance.now() - began) * RATE) / 1_000)
    while (writes.length < due) writes.push(stamps.write(dataSource, rows[writes.length % rows.length] as Device))
    await pause(1)
  }
  await Promise.all(writes)
  return quantiles(stamps.latencies(await arrived))
}
