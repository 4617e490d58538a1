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
    await this.notify(dataSource).catch(() => undefined)
    await new Promise((resolve) => setTimeout(resolve, SHORTEST_PAUSE_MS).unref())
    this.isUnderWay = false
    const next = this.isDue
    this.isDue = undefined
    if (next) void this.send(next)
  }

  /** Past TypeORM: the application's subscribers and its query log see statements of its own only. */
  private async notify(dataSource: DataSource): Promise<void> {
    if (!dataSource.isInitialized) return
    const queryRunner = dataSource.createQueryRunner("master")
    try {
      const connection = (await queryRunner.connect()) as { query(text: string): Promise<unknown> }
      await connection.query(`NOTIFY ${this.channel}`)
    } finally {
      await queryRunner.release()
    }
  }
}
