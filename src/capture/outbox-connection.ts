import { ChangeEventsError } from "../errors"
import type { PendingEvent } from "../events/sink"
import type { SqlStatement, TransactionalSink } from "../events/transactional-sink"
import { isOfFailedTransaction, isServersWord, isToBeRepeated, isWithoutTable } from "../runtime/servers-word"
import type { DriverConnection } from "./driver-connection"
import type { QueryConfig } from "./driver-query"
import { endWithoutStart, START } from "./held-start"
import { canQueryBehind, PrefixFailed, queryBehind } from "./prefixed-query"
import type { PreparedStatements } from "./prepared-statements"
import { waitingForLists } from "./relation-events"
import { ROWS_AS_TEXT } from "./rows-as-text"
import { UnwrittenEvents } from "./unwritten-events"

export interface OutboxConnectionOptions {
  readonly sink: TransactionalSink
  /** Whether statements may be given names on this connection: not behind a pooler, which is noticed here, too. */
  readonly names: Pick<PreparedStatements, "isEnabled" | "areMixedUp">
  /** So many events may wait for the COMMIT. Default: as many as the log takes at once. */
  readonly maxHeld?: number | undefined
}

const BEGIN: SqlStatement = { name: "change_events_begin", text: "BEGIN", values: [] }

/** What the change log still has to be told on one physical connection, and how it is told: in front of the statement that needs it. */
export class OutboxConnection {
  readonly unwritten = new UnwrittenEvents()

  constructor(
    private readonly connection: DriverConnection,
    private readonly bareQuery: DriverConnection["query"],
    private readonly options: OutboxConnectionOptions,
  ) {}

  /** The statements that write what is unwritten, which counts as written from here on. */
  take(): SqlStatement[] {
    const { sink } = this.options
    const events = this.unwritten.take(waitingForLists)
    return chunks(events, sink.maxEvents).flatMap((chunk) => sink.insert(chunk) ?? [])
  }

  /** Writes what is unwritten now. @throws ChangeEventsError OUTBOX_WRITE_FAILED */
  async write(): Promise<void> {
    await this.run(this.take())
  }

  /** Whether no more is to be held of what is unwritten. */
  get isFull(): boolean {
    const { sink, maxHeld = sink.maxEvents } = this.options
    return this.unwritten.freshCount >= maxHeld
  }

  /** Writes it then. @throws ChangeEventsError OUTBOX_WRITE_FAILED */
  async writeIfFull(): Promise<void> {
    if (this.isFull) await this.write()
  }

  /**
   * The statements, and behind them the query: carried out together or, once one failed, none that stands behind it.
   *
   * @throws ChangeEventsError OUTBOX_WRITE_FAILED; what the query itself fails with
   */
  async queryBehind(statements: readonly SqlStatement[], config: QueryConfig): Promise<unknown> {
    if (statements.length > 0 && canQueryBehind(this.connection)) return this.together(statements, config)
    await this.run(statements)
    return this.bareQuery.call(this.connection, config)
  }

  /** A query that begins a transaction of its own, and what is to be done in it before. */
  beginWith(before: readonly SqlStatement[], config: QueryConfig): Promise<unknown> {
    return this.queryBehind([BEGIN, ...before], config)
  }

  /** Writes what is unwritten, and commits. @throws ChangeEventsError OUTBOX_WRITE_FAILED; what the COMMIT fails with */
  commit(): Promise<unknown> {
    const name = this.options.names.isEnabled ? "change_events_commit" : undefined
    return this.queryBehind(this.take(), { text: "COMMIT", name, ...ROWS_AS_TEXT })
  }

  /** Never throws: a transaction that cannot be rolled back goes with its connection. */
  async rollBack(): Promise<void> {
    await Promise.resolve(this.bareQuery.call(this.connection, "ROLLBACK")).catch(() => void this.connection.end())
    this.unwritten.reset()
  }

  private async together(statements: readonly SqlStatement[], config: QueryConfig): Promise<unknown> {
    const { names } = this.options
    const named = names.isEnabled ? statements : statements.map((statement) => ({ ...statement, name: "" }))
    try {
      return await queryBehind(this.connection, this.bareQuery, named, config)
    } catch (error) {
      names.areMixedUp(error)
      throw error instanceof PrefixFailed ? this.prefixFailed(error) : error
    }
  }

  private prefixFailed({ statement, cause }: PrefixFailed): unknown {
    if (statement.text === START.text) endWithoutStart(this.connection, cause)
    return statement.text === START.text || statement.text === BEGIN.text ? cause : writeFailed(cause)
  }

  /** One after the other, without their names: `pg` and we keep separate books of what is prepared. */
  async run(statements: readonly SqlStatement[]): Promise<void> {
    try {
      for (const { text, values } of statements) await this.bareQuery.call(this.connection, { text, values })
    } catch (error) {
      throw isServersWord(error) ? writeFailed(error) : error
    }
  }
}

/** Of a transaction that had failed before, or is to be tried again, nothing else can be said than what the query itself would have been told. */
function writeFailed(cause: unknown): unknown {
  if (isOfFailedTransaction(cause) || isToBeRepeated(cause)) return cause
  const message = "the change log could not be written, so the transaction is not committed"
  if (!isWithoutTable(cause)) return new ChangeEventsError("OUTBOX_WRITE_FAILED", message, { cause })
  const remedy = "run the migrations of `changeLogMigrations()` from typeorm-change-events/migrations"
  return new ChangeEventsError("OUTBOX_WRITE_FAILED", `${message}: ${remedy}`, { cause, retryable: false })
}

function chunks(events: readonly PendingEvent[], size: number): (readonly PendingEvent[])[] {
  if (events.length <= size) return [events]
  const count = Math.ceil(events.length / size)
  return Array.from({ length: count }, (_, index) => events.slice(index * size, (index + 1) * size))
}
