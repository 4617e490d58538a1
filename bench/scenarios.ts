import type { DataSource } from "typeorm"
import { Device } from "../fixtures/inventory/device"
import type { BenchSources } from "./data-sources"
import { compare, type Comparison, type ComparisonOptions, type Variant } from "./interleaved"

type SourceName = "bare" | "control" | "captured" | "untracked" | "audited" | "logged"

const withAll: readonly SourceName[] = ["bare", "control", "captured", "logged", "untracked", "audited"]
const withoutHooks: readonly SourceName[] = ["bare", "control", "captured", "logged", "untracked"]

let serial = 0

function newDevice(): Partial<Device> {
  serial++
  return {
    name: `device-${serial}`,
    serial: `S${serial}`,
    status: "planned",
    position: serial % 40,
    meta: { rack: serial % 10 },
  }
}

/** A variant for each source, made from what it does there. */
async function variants(
  sources: BenchSources,
  names: readonly SourceName[],
  make: (dataSource: DataSource) => Variant | Promise<Variant>,
): Promise<Record<string, Variant>> {
  const entries: [string, Variant][] = []
  for (const name of names) entries.push([name, await make(sources[name])])
  return Object.fromEntries(entries)
}

/** save() of one new entity. */
export async function saveInsert(sources: BenchSources, options?: ComparisonOptions): Promise<Comparison> {
  const all = await variants(sources, withAll, (dataSource) => {
    const devices = dataSource.getRepository(Device)
    return async () => void (await devices.save(devices.create(newDevice())))
  })
  return compare("save() insert", all, options)
}

/** save() of one loaded entity with one change. */
export async function saveUpdate(sources: BenchSources, options?: ComparisonOptions): Promise<Comparison> {
  const all = await variants(sources, withAll, async (dataSource) => {
    const devices = dataSource.getRepository(Device)
    const device = await devices.save(devices.create(newDevice()))
    return async () => {
      device.comments = `comment ${serial++}`
      await devices.save(device)
    }
  })
  return compare("save() update", all, options)
}

/** update(criteria) of one row, found by its unique serial number. */
export async function updateOne(sources: BenchSources): Promise<Comparison> {
  const all = await variants(sources, withoutHooks, async (dataSource) => {
    const devices = dataSource.getRepository(Device)
    const device = await devices.save(devices.create(newDevice()))
    return async () =>
      void (await devices.update({ serial: device.serial as string }, { comments: `comment ${serial++}` }))
  })
  return compare("update(criteria) of one row", all)
}

/** A thousand updates by id in one transaction. */
export async function updatesInOneTransaction(sources: BenchSources): Promise<Comparison> {
  const all = await variants(sources, withoutHooks, async (dataSource) => {
    const device = await dataSource.getRepository(Device).save(newDevice() as Device)
    return () =>
      dataSource.transaction(async (manager) => {
        for (let index = 0; index < 1_000; index++) {
          await manager.update(Device, device.id, { comments: `comment ${serial++}` })
        }
      })
  })
  return compare("1,000 updates in one transaction", all, { blocks: 9, operations: 1, warmUp: 3 })
}

const BULK_ROWS = 10_000

/** One statement that changes 10,000 rows. */
export async function bulkUpdate(sources: BenchSources): Promise<Comparison> {
  const all = await variants(sources, withoutHooks, async (dataSource) => {
    const batch = `bulk-${serial++}`
    await dataSource.query(
      `INSERT INTO dcim.device (name, serial, comments, version) SELECT $1::text, $1 || n, 'new', 1 FROM generate_series(1, ${BULK_ROWS}) n`,
      [batch],
    )
    return async () => {
      const { affected } = await dataSource
        .getRepository(Device)
        .update({ name: batch }, { comments: `comment ${serial++}` })
      if (affected !== BULK_ROWS) throw new Error(`updated ${affected} rows instead of ${BULK_ROWS}`)
    }
  })
  return compare("update(criteria) of 10,000 rows", all, { blocks: 11, operations: 1, warmUp: 3 })
}
