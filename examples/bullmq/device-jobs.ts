import { Queue, Worker, type ConnectionOptions } from "bullmq"
import type { DataSource } from "typeorm"
import { Device } from "../../fixtures/inventory/device"
import type { ChangeEvents } from "../../src"

/** What the queue keeps for each job. */
export interface RetireDevice {
  readonly device: string
  /** Who asked for it: the request has long ended when the job runs. */
  readonly userName: string
}

const QUEUE = "devices"

export function deviceQueue(connection: ConnectionOptions): Queue<RetireDevice, number> {
  return new Queue(QUEUE, { connection })
}

/**
 * A worker whose jobs tell their start and their end, and whose changes carry the job's context. What the job throws is BullMQ's to
 * handle: it is tried again as the queue's options say, and each attempt is told.
 */
export function deviceWorker(
  connection: ConnectionOptions,
  changes: ChangeEvents,
  dataSource: DataSource,
): Worker<RetireDevice, number> {
  return new Worker(
    QUEUE,
    ({ id, name, data }) => {
      const { userName, ...kwargs } = data
      return changes.jobs.run({ id, name, kwargs, userName }, () => retireDevice(dataSource, data.device))
    },
    { connection },
  )
}

async function retireDevice(dataSource: DataSource, name: string): Promise<number> {
  const { affected } = await dataSource.manager.update(Device, { name }, { status: "retired" })
  if (!affected) throw new Error(`there is no device ${name}`)
  return affected
}
