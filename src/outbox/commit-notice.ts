import type { DataSource } from "typeorm"

/** So many milliseconds lie between two notices of one process: more would cost the writers, and a relay that is busy polls anyway. */
const SHORTEST_PAUSE_MS = 50

/**
 * Tells relays of other processes that something was committed: by a statement of its own, after the commit. NOTIFY inside the transaction
 * would take a lock that all commits wait for (16 writers fell to 0.65 of their throughput). What is not told is found by polling.
 */
export class CommitNotice {
  private isUnderWay = false
  private isDue: DataSource | undefined

  constructor(private readonly channel: string) {}

  give(dataSource: DataSource): void {
    if (this.isUnderWay) this.isDue = dataSource
    else void this.send(dataSource)
  }

  private async send(dataSource: DataSource): Promise<void> {
    this.isUnderWay = true
    if (dataSource.isInitialized) await dataSource.query(`NOTIFY ${this.channel}`).catch(() => undefined)
    await new Promise((resolve) => setTimeout(resolve, SHORTEST_PAUSE_MS).unref())
    this.isUnderWay = false
    const next = this.isDue
    this.isDue = undefined
    if (next) void this.send(next)
  }
}
