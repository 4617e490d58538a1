import type { DataSource } from "typeorm"
import { Device } from "../fixtures/inventory/device"
import { quantile } from "./interleaved"
import { clockMs, type Arrival } from "./stream-reader"
import type { Worker } from "./worker"

/** Tells when events arrived; asked with the number of arrivals to wait for. */
export type StreamReader = Worker<number, readonly Arrival[]>

export interface Quantiles {
  readonly p50: number
  readonly p99: number
}

export function quantiles(latencies: readonly number[]): Quantiles {
  return { p50: quantile(latencies, 0.5), p99: quantile(latencies, 0.99) }
}

let numbered = 0

/** When each commit was sent, by the number that its event tells. */
export class CommitStamps {
  private readonly sentAt = new Map<number, number>()

  /** Updates the row in a transaction of its own. */
  async write(dataSource: DataSource, { id }: Pick<Device, "id">): Promise<void> {
    const number = numbered++
    await dataSource.transaction(async (manager) => {
      await manager.update(Device, { id }, { comments: String(number) })
      this.sentAt.set(number, clockMs())
    })
  }

  /** Of those that are known here, which are forgotten. */
  latencies(arrivals: readonly Arrival[]): readonly number[] {
    return arrivals.flatMap(([number, atMs]) => {
      const sentAt = this.sentAt.get(number)
      this.sentAt.delete(number)
      return sentAt === undefined ? [] : [atMs - sentAt]
    })
  }
}
