import type { ChangeEventsError } from "../errors"
import type { EventContext } from "../events/event-context"
import type { PendingEvent } from "../events/sink"
import type { Report } from "../runtime/report"
import { uuidv7 } from "../runtime/uuid"
import { CommitTally } from "./commit-tally"
import { joined, type CommitOrder, type CommittedBatch, type UnheardCommit } from "./commit-order"
import { savepointName, splitStatements, transactionCommand, transactionEnding } from "./transaction-commands"
import { reportOverflow, undelivered } from "./untold-events"
import type { Replacements, UnwrittenEvents } from "./unwritten-events"

/** What the server answered to one statement. */
export interface ServerAnswer {
  /** First word of the command tag: INSERT, COMMIT, ROLLBACK, … */
  readonly command: string | null
}

/** How much of one transaction is held; what comes after is reported as uncaptured. */
export interface TransactionLimits {
  readonly maxEvents: number
  readonly maxBytes: number
}

export interface TransactionLogOptions {
  readonly order: CommitOrder
  readonly report: Report
  readonly limits: TransactionLimits
  /** Whether events are wanted after their commit. Default: yes. */
  readonly isHeard?: (() => boolean) | undefined
  /** With an outbox: what the transaction has still to write into it. */
  readonly outbox?: { readonly unwritten: UnwrittenEvents; readonly onLogged: () => void } | undefined
}

/** What stood at it. */
interface Savepoint {
  readonly name: string
  readonly at: number
  readonly overflowed: number
  readonly doubts: number
}

/**
 * The uncommitted events of one physical connection, released by what the server answers: TypeORM's own commit hook also fires for
 * savepoints and for transactions that the server threw away, and a query runner that was released with its transaction open
 * leaves it to the next one on that connection.
 *
 * ```
 * BEGIN → open          SAVEPOINT s → mark            COMMIT answered COMMIT → events go on
 * statement → events    ROLLBACK TO s → cut to mark   COMMIT answered ROLLBACK, ROLLBACK → events are dropped
 * no BEGIN → at once    RELEASE s → mark forgotten    connection lost → dropped; reported if a COMMIT was under way
 * ```
 */
export class TransactionLog {
  private events: PendingEvent[] = []
  private savepoints: Savepoint[] = []
  private doubts: ChangeEventsError[] = []
  private open = false
  private bytes = 0
  private overflowed = 0
  private committing = false
  private logged = false
  private entities = new Set<object>()
  private writtenAt = 0
  private committed: CommittedBatch | undefined
  private context: EventContext | undefined
  private readonly tally: CommitTally

  constructor(private readonly options: TransactionLogOptions) {
    this.tally = new CommitTally(options.outbox ? "outbox" : "direct")
  }

  get isOpen(): boolean {
    return this.open
  }

  /** What is held of the open transaction, in the order of its statements. */
  get pending(): readonly PendingEvent[] {
    return this.options.outbox?.unwritten.events ?? this.events
  }

  /** The context of a write outside any: one request id for all statements of the transaction. */
  get fallbackContext(): EventContext {
    this.context ??= Object.freeze({
      userName: null,
      requestId: uuidv7(),
      changeContext: "ORM" as const,
      changeContextDetail: "",
    })
    return this.context
  }

  /** Events of one statement. `writtenAt` is when its last row was written, in seconds by the server's clock. */
  add(events: readonly PendingEvent[], entity?: object, writtenAt = 0): void {
    if (entity) this.entities.add(entity)
    this.writtenAt = Math.max(this.writtenAt, writtenAt)
    if (this.options.outbox && events.length > 0) {
      this.options.outbox.unwritten.add(events)
      this.logged = true
    }
    this.tally.add(events, this.savepoints.length)
    if (this.options.isHeard?.() === false) return
    for (const event of events) this.hold(event)
  }

  /** Just before the COMMIT: what some of its events are after all. */
  replacePending(replacements: Replacements): void {
    this.options.outbox?.unwritten.replace(replacements)
    this.tally.replace(replacements)
    const { events } = this
    this.events = []
    this.bytes = 0
    for (const event of events.flatMap((each) => replacements.get(each) ?? [each])) this.hold(event)
  }

  /** A statement has written its rows into the change log by itself: so many, as far as is known. */
  addLogged(rows = 0): void {
    this.logged = true
    this.tally.addRows(rows, this.savepoints.length)
  }

  /** Whether the text may commit what the change log does not hold yet. */
  isUnwrittenBefore(text: string): boolean {
    const { outbox } = this.options
    return outbox !== undefined && outbox.unwritten.count > 0 && transactionEnding(text) === "commit"
  }

  /** A statement that may have been carried out all the same, without events: reported once the transaction has committed. */
  doubt(error: ChangeEventsError): void {
    this.doubts.push(error)
  }

  /** What was to commit was not carried out, and the transaction has failed: it waits for its ROLLBACK, or for one to a savepoint. */
  refuse(commit?: UnheardCommit): void {
    if (commit) this.options.order.answer(commit, undefined)
    this.committing = false
    this.open = true
  }

  /**
   * Before a text is sent, with the entity that it captures: what its answer may commit. Give it to `settle` or `fail`.
   */
  send(text: string, entity?: object): UnheardCommit | undefined {
    if (entity) return this.open ? undefined : this.options.order.expectStatement(new Set([entity]))
    if (this.events.length === 0 || transactionEnding(text) !== "commit") return undefined
    this.committing = true
    return this.options.order.expectCommit(this.entities)
  }

  /**
   * After a statement, or several in one text, that the server carried out. `status` is its transaction status (I idle, T in a
   * transaction, E in a failed one) where the driver tells it; it is believed before the count of BEGINs.
   */
  settle(text: string, answers: readonly ServerAnswer[], status: string | undefined, commit?: UnheardCommit): void {
    if (answers.length === 1) this.follow(text, answers[0] as ServerAnswer)
    else this.followAll(splitStatements(text), answers)
    if (status !== undefined) this.open = status !== "I"
    if (!this.open) this.release()
    const { committed } = this
    this.committed = undefined
    if (commit || committed) this.options.order.answer(commit, committed)
  }

  /** After a text that failed. A failed statement leaves the transaction to its ROLLBACK; a failed COMMIT has ended it. */
  fail(text: string, isServerError: boolean, commit?: UnheardCommit): void {
    if (commit) this.options.order.answer(commit, undefined)
    const ending = transactionEnding(text)
    if (!ending) return
    if (ending === "rollback") return this.reset()
    if (!isServerError) this.reportUnknownOutcome("the connection was lost while its COMMIT was under way")
    else if (splitStatements(text).length > 1)
      this.reportUnknownOutcome("it ended inside a text of several statements that failed")
    this.reset()
  }

  /** The connection is gone: what was not committed is rolled back by the server. */
  lose(): void {
    if (this.committing) this.reportUnknownOutcome("the connection was lost while its COMMIT was under way")
    this.reset()
  }

  private hold(event: PendingEvent): void {
    const { maxEvents, maxBytes } = this.options.limits
    if (this.events.length >= maxEvents || this.bytes + event.sizeBytes > maxBytes) {
      this.overflowed++
      return
    }
    this.bytes += event.sizeBytes
    this.events.push(event)
  }

  private followAll(statements: readonly string[], answers: readonly ServerAnswer[]): void {
    answers.forEach((answer, index) => this.follow(statements[index] ?? "", answer))
  }

  private follow(text: string, { command }: ServerAnswer): void {
    if (command === "INSERT" || command === "UPDATE" || command === "DELETE" || command === "SELECT") return
    switch (transactionCommand(command, text)) {
      case "begin":
        this.open = true
        break
      case "savepoint":
        this.markSavepoint(savepointName(text))
        break
      case "release":
        this.releaseSavepoint(this.indexOfSavepoint(text))
        break
      case "rollback to":
        this.rollBackTo(this.indexOfSavepoint(text))
        break
      case "commit":
        this.release()
        this.open = /\bAND\s+CHAIN\b/i.test(text)
        break
      case "rollback":
        this.reset()
        this.open = /\bAND\s+CHAIN\b/i.test(text)
        break
      case "prepare transaction":
        this.reportUnknownOutcome("PREPARE TRANSACTION leaves its outcome to somebody else")
        this.reset()
    }
  }

  private markSavepoint(name: string): void {
    const { events, overflowed, doubts } = this
    this.savepoints.push({ name, at: events.length, overflowed, doubts: doubts.length })
    this.options.outbox?.unwritten.savepoint()
  }

  private indexOfSavepoint(text: string): number | undefined {
    const name = savepointName(text)
    const index = this.savepoints.findLastIndex((savepoint) => savepoint.name === name)
    return index < 0 ? undefined : index
  }

  private releaseSavepoint(index: number | undefined): void {
    if (index === undefined) return
    this.savepoints.length = index
    this.options.outbox?.unwritten.release(index)
    this.tally.release(index)
  }

  private rollBackTo(index: number | undefined): void {
    if (index === undefined) return this.rollBackToUnknown()
    this.options.outbox?.unwritten.rollBackTo(index)
    this.tally.rollBackTo(index)
    const { at, overflowed, doubts } = this.savepoints[index] as Savepoint
    const undone = this.events.splice(at)
    this.overflowed = overflowed
    this.doubts.splice(doubts)
    this.bytes -= undone.reduce((bytes, event) => bytes + event.sizeBytes, 0)
    this.savepoints.length = index + 1
  }

  /** A savepoint that was made out of our sight: what stood at it is not known. */
  private rollBackToUnknown(): void {
    const { open, events } = this
    const count = this.options.outbox?.unwritten.count ?? events.length
    this.reportUndelivered(count, "it was rolled back to a savepoint that was not seen")
    this.reset()
    this.open = open
  }

  private release(): void {
    const { events, entities, writtenAt, overflowed, logged, doubts } = this
    this.tally.tell()
    this.reset()
    if (logged) this.options.outbox?.onLogged()
    if (overflowed > 0) reportOverflow(overflowed, this.options)
    for (const doubt of doubts) this.options.report(doubt)
    if (events.length > 0) this.committed = joined(this.committed, { events, entities, writtenAt })
  }

  private reset(): void {
    this.open = false
    this.committing = false
    this.logged = false
    this.options.outbox?.unwritten.reset()
    this.tally.reset()
    this.context = undefined
    this.overflowed = 0
    this.writtenAt = 0
    this.bytes = 0
    if (this.entities.size > 0) this.entities = new Set()
    if (this.events.length > 0) this.events = []
    if (this.doubts.length > 0) this.doubts = []
    if (this.savepoints.length > 0) this.savepoints = []
  }

  /** With an outbox nothing of a COMMIT is lost by it: what was committed stands in the change log. */
  private reportUnknownOutcome(reason: string): void {
    if (!this.options.outbox) this.reportUndelivered(this.events.length, reason)
  }

  private reportUndelivered(count: number, reason: string): void {
    if (count > 0) this.options.report(undelivered(count, reason))
  }
}
