import { asError } from "../errors"
import { isOfFailedTransaction } from "../runtime/servers-word"
import type { Capture } from "./capture"
import { CascadeReader, isAny, tooMany, wantedRows } from "./cascade-reader"
import { keyLockText, type LockingText } from "./cascade-sql"
import type { CascadedRows } from "./cascaded-pairs"
import type { CapturedStatement } from "./captured-statement"
import { retriedAtDeadlock } from "./deadlock-retries"
import type { DriverResult } from "./driver-connection"
import type { QueryConfig } from "./driver-query"
import type { OwnRows } from "./own-rows"
import { canQueryBehind, PrefixFailed, queryBehind } from "./prefixed-query"
import type { RowImage } from "./row-image"
import { ROWS_AS_TEXT } from "./rows-as-text"
import type { RunText } from "./run-texts"
import type { WatchedConnection } from "./statement-runner"
import { textOfKey } from "./touched-row"

const SAVEPOINT = { name: "", text: 'SAVEPOINT "change_events_statement"', values: [] }
const RELEASE = `RELEASE ${SAVEPOINT.text}`
const ROLL_BACK = `ROLLBACK TO ${SAVEPOINT.text}; ${RELEASE}`

/** A DELETE whose rows others point to, or an UPDATE of what they point to. */
export interface CascadingStatement {
  readonly statement: CapturedStatement
  readonly values: unknown[]
}

/** What is locked for a statement. */
export interface LockedRows {
  /** How many rows of its own, and their keys. */
  readonly count: number
  readonly keys: ReadonlySet<string>
  /** What points to them. */
  readonly cascaded: readonly CascadedRows[]
}

/**
 * Finds and locks what a statement is about to write, and what points there, behind a savepoint that stays until the statement has been
 * carried out and looked at: then both are kept, or both undone.
 */
export class StatementLocks {
  constructor(
    private readonly watched: WatchedConnection,
    private readonly run: RunText,
  ) {}

  /** What was locked, or why nothing could be; undefined when the transaction has failed already, and the statement will as well. */
  async take(sent: CascadingStatement): Promise<LockedRows | string | undefined> {
    const { locking } = sent.statement
    if (locking === undefined || this.watched.connection.getTransactionStatus?.() === "E") return undefined
    const found = await retriedAtDeadlock({
      read: (begun) => this.read(sent, locking, begun),
      undo: () => this.undo(),
      failed: reasonOf,
    })
    if (typeof found === "object") this.watched.log.settle(SAVEPOINT.text, [{ command: "SAVEPOINT" }], undefined)
    return found
  }

  /**
   * With the statement. What the log held before may have been written into the outbox meanwhile, and triggers been told the context: both are to
   * be done again.
   */
  async undoStatement(): Promise<void> {
    const { log, triggers } = this.watched
    await this.undo()
    triggers?.forget()
    log.settle(ROLL_BACK, [{ command: "ROLLBACK" }, { command: "RELEASE" }], undefined)
  }

  /** They are the transaction's own from here on. `next` is sent along. */
  async keep(next?: string): Promise<void> {
    this.watched.log.settle(RELEASE, [{ command: "RELEASE" }], undefined)
    await this.run(next ? `${RELEASE}; ${next}` : RELEASE)
  }

  private async read(
    { statement, values }: CascadingStatement,
    locking: readonly LockingText[],
    begun: () => void,
  ): Promise<LockedRows> {
    const { capture } = this.watched
    const { actions, maxRows, newKeys, entity } = statement
    const rows = await this.lock(locking, values, begun)
    if (rows.length > maxRows) throw tooMany(maxRows)
    const actionsOn: Capture["actionsOn"] = (metadata, event) => capture.actionsOn(metadata, event)
    const wanted = wantedRows(actions, rows, newKeys)
    // Where keys were to stay as they are, another one may have changed them since.
    const locks = locking.length > 1 ? wanted.filter(isAny).map((each) => keyLockText(entity, each)) : []
    const cascaded = await new CascadeReader(this.run, { actionsOn, maxRows }).read(wanted, locks)
    const keys = new Set(rows.map((row) => textOfKey(row.slice(-entity.primary.length))))
    return { count: rows.length, keys, cascaded }
  }

  private async lock(
    locking: readonly LockingText[],
    values: unknown[],
    begun: () => void,
  ): Promise<readonly RowImage[]> {
    const { connection, bareQuery } = this.watched
    const configs = locking.map(({ text, parameters }) => ({
      text,
      values: parameters.map((index) => values[index]),
      ...ROWS_AS_TEXT,
    }))
    let answer = await this.queryInSavepoint(configs[0] as QueryConfig, begun)
    for (const config of configs.slice(1)) answer = await bareQuery.call(connection, config)
    return (answer as DriverResult).rows as RowImage[]
  }

  private async queryInSavepoint(config: QueryConfig, begun: () => void): Promise<unknown> {
    const { connection, bareQuery } = this.watched
    if (!canQueryBehind(connection)) {
      await this.run(SAVEPOINT.text)
      begun()
      return bareQuery.call(connection, config)
    }
    let isBegun = true
    try {
      return await queryBehind(connection, bareQuery, [SAVEPOINT], config)
    } catch (error) {
      if (!(error instanceof PrefixFailed)) throw error
      isBegun = false
      throw error.cause
    } finally {
      if (isBegun) begun()
    }
  }

  /** Makes the transaction what it was. Where there is none to recover, or no connection, the statement will tell. */
  private async undo(): Promise<void> {
    await this.run(ROLL_BACK).catch(() => undefined)
  }
}

/** Nothing is to be told by a transaction that had failed before. */
function reasonOf(error: unknown): string | undefined {
  return isOfFailedTransaction(error) ? undefined : asError(error).message
}

/** Whether the statement found no other rows than those. */
export function wroteOnly({ count, keys }: LockedRows, changedRows: number, own: OwnRows): boolean {
  return changedRows <= count && [...own.keys()].every((key) => keys.has(key))
}
