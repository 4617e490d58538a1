import { contextOfWrite } from "../context/change-context"
import { ChangeEventsError } from "../errors"
import type { EventContext } from "../events/event-context"
import type { SqlStatement } from "../events/transactional-sink"
import type { Capture } from "./capture"
import type { ChangeBatch } from "./captured-change"
import type { CapturedStatement } from "./captured-statement"
import type { UnheardCommit } from "./commit-order"
import { isOfFailedTransaction, isServersWord } from "../runtime/servers-word"
import { statusOf, type DriverConnection, type DriverResult } from "./driver-connection"
import type { QueryConfig } from "./driver-query"
import type { HeldStart } from "./held-start"
import type { OutboxConnection } from "./outbox-connection"
import { canQueryBehind, queryBehind } from "./prefixed-query"
import { serverSideValues } from "./server-side-log"
import type { RelationChanges } from "./relation-changes"
import { ROWS_AS_TEXT } from "./rows-as-text"
import { statementBody } from "./statement-body"
import { changesOf, restoreResult, rowPairs, takeRows, type StatementRows } from "./statement-rows"
import type { TrackedJunction } from "./tracked-relation"
import type { TransactionLog } from "./transaction-log"
import type { TriggerContext } from "./trigger-context"
import type { Turns } from "./turns"
import { lostAnswer } from "./untold-events"
import { untoldBehind } from "./upserted-keys"

/** A connection, and what is kept of it. */
export interface WatchedConnection {
  readonly connection: DriverConnection
  /** The driver's own. */
  readonly bareQuery: DriverConnection["query"]
  readonly capture: Capture
  readonly log: TransactionLog
  readonly turns: Turns
  readonly outbox: OutboxConnection | undefined
  /** With an outbox. */
  readonly start: HeldStart | undefined
  readonly relations: RelationChanges
  /** Where triggers of the database capture as well. */
  readonly triggers: TriggerContext | undefined
}

interface SentStatement {
  readonly text: string
  readonly values: unknown[]
  readonly statement: CapturedStatement
  readonly context: EventContext
  /** What its answer may commit. */
  readonly commit: UnheardCommit | undefined
  readonly isWanted: IsWanted | undefined
}

/** Whether to keep what the statement wrote: it will be undone otherwise, and nobody sees its result. */
export type IsWanted = (rows: StatementRows) => boolean

/** Runs the captured statements of one connection: sends them prepared, takes the images out of the answers, and keeps the log. */
export class StatementRunner {
  constructor(private readonly watched: WatchedConnection) {}

  run(text: string, values: unknown[], statement: CapturedStatement, isWanted?: IsWanted): Promise<unknown> {
    const { log, outbox } = this.watched
    const context = contextOfWrite(log)
    const sent = { text, values, statement, context, commit: log.send(text, statement.entity), isWanted }
    if (!outbox) return this.runDirectly(sent)
    return log.isOpen ? this.runLogged(sent, outbox) : this.runAlone(sent, outbox)
  }

  private runDirectly(sent: SentStatement): Promise<unknown> {
    const { log } = this.watched
    const name = this.nameOf(sent)
    const received = (answer: unknown): unknown => this.captured(sent, answer as DriverResult)
    const failed = (error: unknown): never => this.failed(sent, error)
    return this.send(sent, name).then(received, (error: unknown) => {
      const isOurs = this.isOwnFailure(sent, name, error)
      return isOurs && !log.isOpen ? this.send(sent, undefined).then(received, failed) : failed(error)
    })
  }

  /** Inside a transaction: what it writes into the change log by itself must come behind what was made before. */
  private async runLogged(sent: SentStatement, outbox: OutboxConnection): Promise<unknown> {
    const { start } = this.watched
    const logged = sent.statement.serverSide ? outbox.take() : []
    const before = [...(start?.take() ?? []), ...this.told(sent), ...logged]
    const name = this.nameOf(sent)
    const config = this.config(sent, name)
    const answering = before.length > 0 ? outbox.queryBehind(before, config) : this.query(config)
    const answer = await answering.catch((error: unknown) => {
      this.isOwnFailure(sent, name, error)
      return this.failed(sent, error)
    })
    const result = this.captured(sent, answer as DriverResult)
    // What foreign keys do belongs to it.
    if (!sent.isWanted) await outbox.writeIfFull()
    return result
  }

  /** Outside a transaction it gets one of its own, which also writes the change log. Once more without names, if it was a name that failed. */
  private async runAlone(sent: SentStatement, outbox: OutboxConnection): Promise<unknown> {
    const { log } = this.watched
    const name = this.nameOf(sent)
    try {
      return await this.commitAlone(sent, outbox, name)
    } catch (error) {
      if (!this.isOwnFailure(sent, name, error)) throw error
      const again = { ...sent, commit: log.send(sent.text, sent.statement.entity) }
      return this.commitAlone(again, outbox, undefined)
    }
  }

  private async commitAlone(sent: SentStatement, outbox: OutboxConnection, name: string | undefined): Promise<unknown> {
    const { log, connection } = this.watched
    const result = await this.writeAlone(sent, outbox, name)
    this.guarded(() => log.settle("COMMIT", [{ command: "COMMIT" }], undefined, sent.commit))
    restoreResult(sent.statement, result, connection)
    return result
  }

  private async writeAlone(
    sent: SentStatement,
    outbox: OutboxConnection,
    name: string | undefined,
  ): Promise<DriverResult> {
    try {
      const result = (await outbox.beginWith(this.told(sent), this.config(sent, name))) as DriverResult
      const refusal = this.guarded(() => this.collect(sent, takeRows(sent.statement, result)))
      if (refusal) throw refusal
      await outbox.commit()
      return result
    } catch (error) {
      await this.endAlone(sent, outbox, error)
      throw error
    }
  }

  private async endAlone(sent: SentStatement, outbox: OutboxConnection, error: unknown): Promise<void> {
    const { log } = this.watched
    // A BEGIN that was refused so: there is a transaction that came to be open, and failed, in a text whose answer did not tell.
    if (isOfFailedTransaction(error)) return log.refuse(sent.commit)
    await outbox.rollBack()
    this.guarded(() => log.fail("ROLLBACK", isServersWord(error), sent.commit))
  }

  /** A foreign key may carry the change on into a table that triggers capture. */
  private told({ context }: SentStatement): readonly SqlStatement[] {
    return this.watched.triggers?.before(context) ?? []
  }

  private send(sent: SentStatement, name: string | undefined): Promise<unknown> {
    return this.query(this.config(sent, name))
  }

  private query(config: QueryConfig): Promise<unknown> {
    const { connection, bareQuery } = this.watched
    if (canQueryBehind(connection)) return queryBehind(connection, bareQuery, [], config)
    return bareQuery.call(connection, config) as Promise<unknown>
  }

  private config({ text, values, statement, context }: SentStatement, name: string | undefined): QueryConfig {
    const { capture } = this.watched
    const { rowMode, types } = ROWS_AS_TEXT
    if (!statement.serverSide) return { text, values, name, rowMode, types }
    const body = statementBody(statement, context, capture.typesOf(statement.entity))
    const all = [...values, ...serverSideValues(statement, body, capture.reader)]
    return { text, values: all, name, rowMode, types }
  }

  private nameOf({ text, statement }: SentStatement): string | undefined {
    return this.watched.capture.prepared.nameOf(text, statement.entity.metadata)
  }

  /** Also of what goes in front of the statement, under a name. */
  private isOwnFailure({ text }: SentStatement, name: string | undefined, error: unknown): boolean {
    return this.watched.capture.prepared.isOwnFailure(text, name, error)
  }

  /** Whatever fails of ours must not reach TypeORM, which gets its own statement's result. */
  private captured(sent: SentStatement, result: DriverResult): DriverResult {
    const { log, connection } = this.watched
    const rows = this.guarded(() => takeRows(sent.statement, result))
    if (rows && sent.isWanted?.(rows) === false) return result
    const refusal = rows && this.guarded(() => this.collect(sent, rows))
    this.guarded(() => log.settle(sent.text, [result], statusOf(connection), sent.commit))
    restoreResult(sent.statement, result, connection)
    if (refusal) throw refusal
    return result
  }

  private collect(sent: SentStatement, rows: StatementRows): ChangeEventsError | undefined {
    const { capture, log, outbox } = this.watched
    const { statement, context } = sent
    const { entity, maxRows, junction } = statement
    if (junction) return this.collectJunction(sent, rows, junction)
    if (rows.changedRows > maxRows && (statement.limited || !outbox)) {
      if (!statement.serverSide) return capture.uncaptured.tooMany(entity.metadata.tablePath, rows.changedRows)
      log.addLogged(rows.changedRows)
    } else if (rows.images.length > 0) {
      log.add(changesOf(statement, rows.images, this.batch(statement, rows, context)), entity, rows.writtenAt)
    }
    return this.untold(statement, rows)
  }

  private untold(statement: CapturedStatement, rows: StatementRows): ChangeEventsError | undefined {
    const { uncaptured } = this.watched.capture
    const { tablePath } = statement.entity.metadata
    if (statement.hidesWrite) return uncaptured.hiddenWrite(tablePath)
    const reason = untoldBehind(statement, rows, this.watched.capture)
    return reason === undefined ? undefined : uncaptured.untold(tablePath, 0, reason)
  }

  private collectJunction(
    { statement, context }: SentStatement,
    rows: StatementRows,
    junction: TrackedJunction,
  ): ChangeEventsError | undefined {
    const { capture, relations } = this.watched
    const { changedRows, images, writtenAt } = rows
    const isTooMany = changedRows > statement.maxRows
    if (changedRows > 0) {
      const pairs = isTooMany ? undefined : rowPairs(statement, images)
      relations.note(junction, this.batch(statement, rows, context), pairs, writtenAt)
    }
    return isTooMany ? capture.uncaptured.tooMany(statement.entity.metadata.tablePath, changedRows) : undefined
  }

  private batch(statement: CapturedStatement, rows: StatementRows, context: EventContext): ChangeBatch {
    const { capture, connection } = this.watched
    const types = statement.sql.isWide ? capture.typesOf(statement.entity) : undefined
    return {
      entity: statement.entity,
      context,
      occurredAt: rows.writtenAt > 0 ? new Date(rows.writtenAt * 1_000) : new Date(),
      parsers: statement.entity.columns.map((_, index) => {
        const field = rows.fields[index]
        return types
          ? connection.getTypeParser(types[index] ?? 0, "text")
          : connection.getTypeParser(field?.dataTypeID ?? 0, field?.format ?? "text")
      }),
      reader: capture.reader,
      emitUnchanged: capture.environment.options.emitUnchanged ?? false,
    }
  }

  /** A statement whose answer was lost, or came too late, may have written all the same. */
  private failed(sent: SentStatement, error: unknown): never {
    const { capture, log, triggers } = this.watched
    triggers?.forget()
    if (!isServersWord(error)) {
      const doubt = lostAnswer(sent.statement.entity.metadata.tablePath, error)
      // In a transaction it is gone with it, unless that commits.
      if (sent.commit) capture.environment.report(doubt)
      else log.doubt(doubt)
    }
    this.guarded(() => log.fail(sent.text, isServersWord(error), sent.commit))
    throw error
  }

  private guarded<Value>(work: () => Value): Value | undefined {
    return guarded(this.watched.capture, work)
  }
}

/** Reports what fails of ours instead of throwing it at somebody else's statement. */
export function guarded<Value>({ environment }: Capture, work: () => Value): Value | undefined {
  try {
    return work()
  } catch (cause) {
    const message = "a change could not be captured; this is a defect of the package, please report it"
    environment.report(new ChangeEventsError("CAPTURE_FAILED", message, { cause }))
    return undefined
  }
}
