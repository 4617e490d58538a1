import { asError } from "../errors"
import type { ChangeLogTables } from "../outbox/change-log-tables"
import { within } from "../runtime/within"
import { RelayConnection, type RelayClient } from "./relay-connection"
import { pruneOnce } from "./retention"

export interface PruningOptions {
  readonly tables: ChangeLogTables
  readonly createClient: () => RelayClient
  readonly retentionDays: number
  /** Called behind each time with the brokers without which more could have gone. */
  readonly onPruned: (heldBackBy: readonly string[]) => void
  readonly onFailed: (error: Error) => void
}

const EVERY_MS = 3_600_000

/** For one of its statements, in milliseconds: nobody waits for it. */
const TIMEOUT_MS = 60_000
const STOP_TIMEOUT_MS = 5_000

/**
 * Removes once an hour what the log need not keep. Beside the relay's work, and on a connection of its own: what is removed may be much, or
 * locked, and leases are to be renewed meanwhile.
 */
export class Pruning {
  private prunedAt = 0
  private running: Promise<void> | undefined
  private connection: RelayConnection | undefined
  private isStopped = false

  constructor(private readonly options: PruningOptions) {}

  /** Begins if it is time, and none is under way. */
  beginIfDue(): void {
    if (this.isStopped || this.running || performance.now() - this.prunedAt < EVERY_MS) return
    this.prunedAt = performance.now()
    this.running = this.prune().finally(() => (this.running = undefined))
  }

  /** What is under way ends between two of its statements, or by its connection. Never rejects. */
  async stop(): Promise<void> {
    this.isStopped = true
    const ended = Promise.all([this.connection?.close(), this.running])
    await within(STOP_TIMEOUT_MS, ended, () => new Error("late")).catch(() => undefined)
  }

  private async prune(): Promise<void> {
    const { createClient, tables, retentionDays, onPruned, onFailed } = this.options
    const connection = new RelayConnection({ createClient, timeoutMs: TIMEOUT_MS })
    this.connection = connection
    try {
      const { heldBackBy } = await pruneOnce((text, values) => connection.query(text, values), tables, retentionDays)
      onPruned(heldBackBy)
    } catch (thrown) {
      if (!this.isStopped) onFailed(asError(thrown))
    } finally {
      await connection.close()
    }
  }
}
