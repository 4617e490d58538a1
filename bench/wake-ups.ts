import { DataSource, type DataSourceOptions } from "typeorm"
import { fixtureOptions } from "../fixtures/fixture-options"
import { Device } from "../fixtures/inventory/device"
import { changeEvents } from "../src"
import { startRedisServer } from "../test/servers/redis-server"
import { compareRates, type RateComparison } from "./interleaved"
import { startMeasuredRelay } from "./measured-relay"

const WRITERS = 16
const ROUNDS = 7
const BLOCK_MS = 2_000

/** 16 writers at once through the outbox, with a relay that listens: how many transactions of theirs the wake-ups cost. */
export async function wakeUps(url: string): Promise<RateComparison> {
  const redis = await startRedisServer()
  const relay = startMeasuredRelay({ postgres: url, redis: redis.url }, () => undefined)
  const changes = changeEvents({ delivery: "outbox" })
  const open = (): Promise<DataSource> => {
    const options = { ...fixtureOptions, url, poolSize: WRITERS + 1, subscribers: [changes.subscriber] }
    return new DataSource(options as DataSourceOptions).initialize()
  }
  const silent = withoutWakeUps(await open())
  const waking = await open()
  const devices = await newDevices(silent)
  const silently = (): Promise<number> => writtenInASecond(silent, devices, "SELECT 1")
  try {
    const variants = {
      silent: silently,
      control: silently,
      debounced: () => writtenInASecond(waking, devices, "SELECT 1"),
      notifying: () => writtenInASecond(silent, devices, `NOTIFY "change_events.log"`),
    }
    return await compareRates("16 writers, with wake-ups and without: transactions a second", variants, ROUNDS)
  } finally {
    await changes.close()
    for (const dataSource of [silent, waking]) await dataSource.destroy()
    await relay.stop()
    await redis.remove()
  }
}

/** A wake-up is a statement of its own, sent to the DataSource; the transactions' statements go to connections of theirs. */
function withoutWakeUps(dataSource: DataSource): DataSource {
  const query = dataSource.query.bind(dataSource)
  dataSource.query = async <T>(text: string, parameters?: unknown[]): Promise<T> =>
    text.startsWith("NOTIFY") ? ([] as T) : query<T>(text, parameters as never)
  return dataSource
}

async function newDevices(dataSource: DataSource): Promise<readonly Device[]> {
  const devices = dataSource.getRepository(Device)
  return devices.save(Array.from({ length: WRITERS }, () => devices.create({ name: "wake-ups" })))
}

/** Each writer has a row of its own. `last` is sent at the end of each transaction, by all variants alike. */
async function writtenInASecond(dataSource: DataSource, devices: readonly Device[], last: string): Promise<number> {
  let written = 0
  const began = performance.now()
  const writer = async ({ id }: Device): Promise<void> => {
    while (performance.now() - began < BLOCK_MS) {
      await dataSource.transaction(async (manager) => {
        await manager.update(Device, { id }, { comments: `comment ${written}` })
        await manager.query(last)
      })
      written++
    }
  }
  await Promise.all(devices.map(writer))
  return (written / (performance.now() - began)) * 1_000
}
