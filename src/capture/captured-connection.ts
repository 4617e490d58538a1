import { ChangeEventsError } from "../errors"
import type { Capture } from "./capture"
import type { CapturedStatement } from "./captured-statement"
import { ClearedTables } from "./cleared-tables"
import type { SqlStatement } from "../events/transactional-sink"
import type { UnheardCommit } from "./commit-order"
import { isOfFailedTransaction, isServersWord } from "../runtime/servers-word"
import { resultsOf, statusOf, type DriverConnection, type DriverResult } from "./driver-connection"
import { asCalled, configOf, isCalledBack, textOf } from "./driver-call"
import { ForeignKeyCascade } from "./foreign-key-cascade"
import { HeldStart } from "./held-start"
import { loggedCommit } from "./logged-commit"
import { mayClear, type ClearedWrite, type KnownWrite } from "./known-writes"
import { netChanges } from "./net-changes"
import { OutboxConnection } from "./outbox-connection"
import { RelationChanges } from "./relation-changes"
import { statementOf } from "./remembered-statements"
import { guarded, StatementRunner, type IsWanted, type WatchedConnection } from "./statement-runner"
import type { QueryConfig } from "./driver-query"
import { splitStatements, transactionEnding } from "./transaction-commands"
import { TransactionLog } from "./transaction-log"
import { TriggerContext } from "./trigger-context"
import { Turns } from "./turns"
import { isWrite } from "./uncaptured-writes"

/** A physical connection whose statements and answers pass by us. */
export interface CapturedConnection {
  readonly log: TransactionLog
  /** What was added to the log by hand goes into the change log as well, once it is much. @throws ChangeEventsError OUTBOX_WRITE_FAILED */
  writeIfFull(): Promise<void>
}

const connections = new WeakMap<object, CapturedConnection>()

/**
 * Gives this one connection, and no other, a `query` of its own. Here and not in `afterQuery`, because a captured statement is
 * prepared and its rows are read as text, which only the driver can be told (docs/decisions/0002).
 */
export function captureConnection(connection: DriverConnection, capture: Capture): CapturedConnection {
  const known = connections.get(connection)
  if (known) return known
  const watched = watchedConnection(connection, capture)
  const watch = new ConnectionWatch(watched)
  Object.defineProperty(connection, "query", {
    configurable: true,
    writable: true,
    value: (...args: unknown[]) => watch.query(args),
  })
  const { log } = watched
  connection.once("end", () => log.lose())
  const captured = { log, writeIfFull: () => watch.writeIfFull() }
  connections.set(connection, captured)
  return captured
}

function watchedConnection(connection: DriverConnection, capture: Capture): WatchedConnection {
  const bareQuery = connection.query
  const { options, order, report, isHeard, outbox: sink, onLogged = () => undefined } = capture.environment
  const maxHeld = options.coalesce === "transaction" ? capture.limits.maxEvents : undefined
  const outbox = sink && new OutboxConnection(connection, bareQuery, { sink, names: capture.prepared, maxHeld })
  const unwritten = outbox && { unwritten: outbox.unwritten, onLogged: () => onLogged(capture.dataSource) }
  const log = new TransactionLog({ order, report, limits: capture.limits, isHeard, outbox: unwritten })
  const relations = new RelationChanges(connection, capture, log)
  const triggers = capture.hasTriggers ? new TriggerContext(log) : undefined
  const turns = new Turns()
  const start = outbox && new HeldStart({ connection, bareQuery, log, turns, triggers })
  return { connection, bareQuery, capture, log, turns, outbox, start, relations, triggers }
}

/** A text that was sent, and what is known of it when its answer comes. */
interface SentText {
  readonly text: string
  /** What the answer may commit. */
  readonly commit: UnheardCommit | undefined
  /** Whether what it writes is told already. */
  readonly isTold: boolean
}

class ConnectionWatch {
  private readonly runner: StatementRunner
  private readonly cascade: ForeignKeyCascade
  private readonly cleared: ClearedTables
  private readonly turns: Turns

  private readonly isCoalescing: boolean

  constructor(private readonly watched: WatchedConnection) {
    this.turns = watched.turns
    this.runner = new StatementRunner(watched)
    this.cascade = new ForeignKeyCascade(watched)
    this.cleared = new ClearedTables(watched, this.runner, (sql) => this.run([sql]) as Promise<unknown>)
    this.isCoalescing = watched.capture.environment.options.coalesce === "transaction"
  }

  query(args: unknown[]): unknown {
    if (isCalledBack(args)) return asCalled(args, this.query([configOf(args)]) as Promise<unknown>)
    if (this.watched.start?.isHeld && !this.goesBehindStart(args)) this.watched.start.send()
    return this.turns.wait(args[0], () => this.query(args)) ?? this.runInOrder(args)
  }

  /** What is to be done with a text depends on the transaction that it finds: it waits for the answers before it. The driver would queue it, too. */
  private runInOrder(args: unknown[]): unknown {
    const answer = this.run(args)
    const { start, outbox, connection } = this.watched
    const isAhead = !outbox && connection.pipeline
    if (!(answer instanceof Promise) || isAhead || start?.isHeld || this.turns.isTaken) return answer
    return this.turns.follow(answer)
  }

  writeIfFull(): Promise<void> {
    const { outbox, start } = this.watched
    if (!outbox?.isFull) return Promise.resolve()
    start?.send()
    const waiting = this.turns.wait(undefined, () => this.writeIfFull()) as Promise<void> | undefined
    return waiting ?? this.turns.take(() => outbox.writeIfFull())
  }

  private run(args: unknown[]): unknown {
    const { capture, log, relations } = this.watched
    const [config, values] = args
    const text = textOf(config)
    if (text === undefined) return this.bare(args)
    const { start } = this.watched
    const failed = start?.takeFailure()
    if (failed) return Promise.reject(failed.error as Error)
    if (start?.mayHold(args)) return start.hold()
    const statement = statementOf(args)
    if (statement) return this.runStatement(text, values as unknown[], statement)
    const known = capture.knownWrite(text)
    if (known) return this.runKnown(args, known)
    if (mayClear(text) && this.mayAsk()) return this.askAndRun(configOf(args))
    if (relations.isDue(text)) return this.completeAndRun(args)
    if (this.isCoalescing && transactionEnding(text) === "commit") {
      guarded(capture, () => log.replacePending(netChanges(log.pending)))
    }

    return this.forward(text, args, false)
  }

  /** What goes with its images read before has to find the transaction open. */
  private goesBehindStart(args: unknown[]): boolean {
    return statementOf(args)?.actions.length === 0
  }

  private forward(text: string, args: unknown[], isTold: boolean): Promise<unknown> {
    const { log, outbox, triggers } = this.watched
    const sent = { text, commit: log.send(text), isTold }
    if (outbox && log.isUnwrittenBefore(text)) return this.commitLogged(sent, args, outbox)
    const told = triggers?.beforeText(text) ?? []
    return outbox && told.length > 0 ? this.runTold(sent, args, told) : this.pass(sent, args)
  }

  private runStatement(text: string, values: unknown[], statement: CapturedStatement): Promise<unknown> {
    const run = (isWanted?: IsWanted): Promise<unknown> => this.runner.run(text, values, statement, isWanted)
    const { log, outbox } = this.watched
    const isCascading = statement.actions.length > 0
    const work = isCascading ? () => this.cascade.around({ statement, values }, run) : () => run()
    if (log.isOpen) return isCascading ? this.turns.take(work) : run()
    if (statement.junction || isCascading) return this.inOwnTransaction(work)
    // With an outbox it gets a transaction of several texts.
    return outbox ? this.turns.take(work) : run()
  }

  private runKnown(args: unknown[], known: KnownWrite): Promise<unknown> {
    const config = configOf(args)
    if ("shifts" in known) return this.forward(config.text, args, true)
    if ("clears" in known) return this.clear(config, known)
    const values = [...(config.values ?? [])]
    if (values.length !== known.parameterCount) return this.forward(config.text, args, false)
    return this.runStatement(known.text, values, known.statement)
  }

  private clear(config: QueryConfig, known: ClearedWrite): Promise<unknown> {
    const { log } = this.watched
    const send = (): Promise<unknown> => this.forward(config.text, [config], known.table !== undefined)
    const work = (): Promise<unknown> => this.cleared.around(known, send)
    // A snapshot from before the lock would not show all that is emptied.
    return log.isOpen ? this.turns.take(work) : this.inOwnTransaction(work, "BEGIN ISOLATION LEVEL READ COMMITTED")
  }

  private mayAsk(): boolean {
    return !this.watched.capture.isKnown && statusOf(this.watched.connection) !== "E"
  }

  /** On this connection: with a pool of one it would wait for another for ever. */
  private askAndRun(config: QueryConfig): Promise<unknown> {
    const { capture, connection, bareQuery } = this.watched
    const { processID } = connection
    const asked = { processID, query: (...args: unknown[]) => bareQuery.apply(connection, args) }
    return this.turns.take(async () => {
      await capture.whenKnown({ connect: () => Promise.resolve(asked) })
      return capture.isKnown ? this.run([config]) : this.forward(config.text, [config], false)
    })
  }

  /** Nothing else is sent on the connection from here until the text is. */
  private completeAndRun(args: unknown[]): Promise<unknown> {
    const { relations, bareQuery } = this.watched
    return this.turns.take(async () => {
      const refusal = await relations.complete(bareQuery)
      if (refusal) throw refusal
      return this.run(args)
    })
  }

  /**
   * What a relation lists has to be read in the transaction that changes it, and at the end of it: a statement without one gets one of
   * its own. Its result and its errors are the statement's.
   */
  private inOwnTransaction(statement: () => Promise<unknown>, begin = "BEGIN"): Promise<unknown> {
    return this.turns.take(async () => {
      await this.run([begin])
      try {
        const result = await statement()
        await this.run(["COMMIT"])
        return result
      } catch (error) {
        if (this.watched.log.isOpen) await this.rollBackOwn()
        throw error
      }
    })
  }

  /** Nothing more may be carried out in a transaction that nobody knows of: the server rolls it back with its connection. */
  private async rollBackOwn(): Promise<void> {
    const { connection } = this.watched
    await Promise.resolve(this.run(["ROLLBACK"])).catch(() => void connection.end())
  }

  /** Any other text goes as it came; only its answer is seen. */
  private pass(sent: SentText, args: unknown[]): Promise<unknown> {
    return (this.bare(args) as Promise<unknown>).then(
      (answer) => this.succeeded(sent, answer),
      (error: unknown) => this.failed(sent, error),
    )
  }

  /** Triggers are told whose write it is, in one round trip with it. */
  private async runTold(sent: SentText, args: unknown[], told: readonly SqlStatement[]): Promise<unknown> {
    const outbox = this.watched.outbox as OutboxConnection
    const isOne = splitStatements(sent.text).length === 1
    const answering = isOne
      ? outbox.queryBehind(told, configOf(args))
      : outbox.run(told).then(() => this.watched.bareQuery.call(this.watched.connection, configOf(args)))
    return this.succeeded(sent, await answering.catch((error: unknown) => this.failed(sent, error)))
  }

  /** A COMMIT goes behind what the change log has still to be told, in one write. */
  private async commitLogged(sent: SentText, args: unknown[], outbox: OutboxConnection): Promise<unknown> {
    const values = Array.isArray(args[1]) ? (args[1] as unknown[]) : undefined
    this.watched.triggers?.forget()
    const committing = loggedCommit({ text: sent.text, values }, outbox, this.watched)
    return this.succeeded(sent, await committing.catch((error: unknown) => this.uncommitted(sent, args, error)))
  }

  private uncommitted(sent: SentText, args: unknown[], error: unknown): Promise<unknown> {
    // Nothing of it was carried out. The COMMIT of a transaction that has failed is no error: it is answered with ROLLBACK.
    if (isOfFailedTransaction(error))
      return (this.bare(args) as Promise<unknown>).catch((own: unknown) => this.failed(sent, own))
    if (!(error instanceof ChangeEventsError)) return this.failed(sent, error)
    this.watched.log.refuse(sent.commit)
    throw error
  }

  private bare(args: unknown[]): unknown {
    return this.watched.bareQuery.apply(this.watched.connection, args)
  }

  private succeeded({ text, commit, isTold }: SentText, answer: unknown): unknown {
    const { capture, log, connection, triggers } = this.watched
    const results: readonly DriverResult[] = resultsOf(answer)
    capture.prepared.sent(text)
    const refusal = isTold ? undefined : guarded(capture, () => capture.uncaptured.inspect(text, results))
    if (triggers && results.some(isWrite)) log.addLogged()
    if (results.some(({ command }) => command === "DISCARD" || command === "DEALLOCATE")) capture.prepared.disable()
    guarded(capture, () => log.settle(text, results, statusOf(connection), commit))
    if (!log.isOpen) triggers?.forget()
    if (refusal) throw refusal
    return answer
  }

  private failed({ text, commit }: SentText, error: unknown): never {
    const { capture, log, triggers } = this.watched
    triggers?.forget()
    guarded(capture, () => log.fail(text, isServersWord(error), commit))
    throw error
  }
}
