import { currentChangeContext } from "../context/change-context"
import { ChangeEventsError } from "../errors"
import type { EventContext } from "../events/event-context"
import type { Capture } from "./capture"
import type { ChangeBatch } from "./captured-change"
import type { UnheardCommit } from "./commit-order"
import type { CapturedStatement } from "./captured-statement"
import { sharedState } from "../runtime/shared-state"
import { resultsOf, type DriverConnection, type DriverResult } from "./driver-connection"
import { changesOf, restoreResult, takeRows, type StatementRows } from "./statement-rows"
import { TransactionLog } from "./transaction-log"

/**
 * The statement that a list of parameters belongs to. TypeORM hands the list that its builder made to the driver as it is, so its
 * identity tells a captured statement from any other, without a look at the text.
 */
const statements = sharedState("statements", () => new WeakMap<readonly unknown[], CapturedStatement>())

export function rememberStatement(parameters: readonly unknown[], statement: CapturedStatement): void {
  statements.set(parameters, statement)
}

/** A physical connection whose statements and answers pass by us. */
export interface CapturedConnection {
  readonly log: TransactionLog
}

const connections = new WeakMap<object, CapturedConnection>()

/**
 * Gives this one connection, and no other, a `query` of its own. Here and not in `afterQuery`, because a captured statement is
 * prepared and its rows are read as text, which only the driver can be told (docs/decisions/0002).
 */
export function captureConnection(connection: DriverConnection, capture: Capture): CapturedConnection {
  const known = connections.get(connection)
  if (known) return known
  const { order, report } = capture.environment
  const log = new TransactionLog({ order, report, limits: capture.limits })
  const watch = new ConnectionWatch(connection, capture, log)
  const bareQuery = connection.query
  Object.defineProperty(connection, "query", {
    configurable: true,
    writable: true,
    value: (...args: unknown[]) => watch.query(bareQuery, args),
  })
  connection.once("end", () => log.lose())
  connections.set(connection, { log })
  return { log }
}

type Callback = (error: unknown, answer?: unknown) => void

/** A text that was sent, and what is known of it when its answer comes. */
interface SentText {
  readonly text: string
  /** What the answer may commit. */
  readonly commit: UnheardCommit | undefined
}

interface SentStatement extends SentText {
  readonly statement: CapturedStatement
  readonly context: EventContext
}

class ConnectionWatch {
  constructor(
    private readonly connection: DriverConnection,
    private readonly capture: Capture,
    private readonly log: TransactionLog,
  ) {}

  query(bareQuery: DriverConnection["query"], args: unknown[]): unknown {
    const [config, values] = args
    const text = textOf(config)
    if (text === undefined) return bareQuery.apply(this.connection, args)
    const statement = Array.isArray(values) ? statements.get(values) : undefined
    if (statement) return this.runCaptured(bareQuery, text, values as unknown[], statement)

    const sent = { text, commit: this.log.send(text) }
    const callback = args.at(-1)
    if (typeof callback === "function") {
      return bareQuery.apply(this.connection, [...args.slice(0, -1), this.watched(sent, callback as Callback)])
    }
    const own = (config as { callback?: unknown }).callback
    if (typeof own === "function") {
      const watched = { ...(config as object), callback: this.watched(sent, own as Callback) }
      return bareQuery.apply(this.connection, [watched, ...args.slice(1)])
    }
    return (bareQuery.apply(this.connection, args) as Promise<unknown>).then(
      (answer) => this.succeeded(sent, answer),
      (error: unknown) => this.failed(sent, error),
    )
  }

  private runCaptured(
    bareQuery: DriverConnection["query"],
    text: string,
    values: unknown[],
    statement: CapturedStatement,
  ): Promise<unknown> {
    const context = currentChangeContext() ?? this.log.fallbackContext
    const sent = { text, statement, context, commit: this.log.send(text, statement.entity) }
    const name = this.capture.prepared.nameOf(text)
    const send = (as: string | undefined): Promise<unknown> =>
      bareQuery.call(this.connection, { text, values, name: as, rowMode: "array", types: AS_TEXT }) as Promise<unknown>
    const received = (answer: unknown): unknown => this.captured(sent, answer as DriverResult)
    const failed = (error: unknown): never => this.failedCapture(sent, error)
    return send(name).then(received, (error: unknown) => {
      const isOurs = name !== undefined && this.capture.prepared.isOwnFailure(text, error)
      return isOurs && !this.log.isOpen ? send(undefined).then(received, failed) : failed(error)
    })
  }

  /** Whatever fails of ours must not reach TypeORM, which gets its own statement's result. */
  private captured(sent: SentStatement, result: DriverResult): DriverResult {
    const refusal = this.guarded(() => this.collect(sent, takeRows(sent.statement, result)))
    this.settle(sent, [result])
    restoreResult(sent.statement, result, this.connection)
    if (refusal) throw refusal
    return result
  }

  private collect({ statement, context }: SentStatement, rows: StatementRows): ChangeEventsError | undefined {
    const { entity, maxRows } = statement
    if (rows.changedRows > maxRows) return this.capture.uncaptured.tooMany(entity.metadata.tablePath, rows.changedRows)
    if (rows.images.length > 0) {
      const changes = changesOf(statement, rows.images, this.batch(statement, rows, context))
      this.log.add(changes, entity, rows.writtenAt)
    }
    return statement.hidesWrite ? this.capture.uncaptured.hiddenWrite(entity.metadata.tablePath) : undefined
  }

  private batch(statement: CapturedStatement, rows: StatementRows, context: EventContext): ChangeBatch {
    return {
      entity: statement.entity,
      context,
      occurredAt: rows.writtenAt > 0 ? new Date(rows.writtenAt * 1_000) : new Date(),
      parsers: statement.entity.columns.map((_, index) => {
        const field = rows.fields[index]
        return this.connection.getTypeParser(field?.dataTypeID ?? 0, field?.format ?? "text")
      }),
      reader: this.capture.reader,
      emitUnchanged: this.capture.environment.options.emitUnchanged ?? false,
    }
  }

  private succeeded(sent: SentText, answer: unknown): unknown {
    const results = resultsOf(answer)
    const refusal = this.guarded(() => this.capture.uncaptured.inspect(sent.text, results))
    this.settle(sent, results)
    if (refusal) throw refusal
    return answer
  }

  private settle({ text, commit }: SentText, results: readonly DriverResult[]): void {
    this.guarded(() => void this.log.settle(text, results, this.status(), commit))
  }

  private failed({ text, commit }: SentText, error: unknown): never {
    this.guarded(() => void this.log.fail(text, isServersWord(error), commit))
    throw error
  }

  /** A statement whose answer was lost, or came too late, may have written all the same. */
  private failedCapture(sent: SentStatement, error: unknown): never {
    if (!isServersWord(error)) {
      const table = sent.statement.entity.metadata.tablePath
      const message = `the answer to a write to "${table}" was lost: if it was carried out, it made no events`
      const details = { about: table, table }
      this.capture.environment.report(
        new ChangeEventsError("COMMIT_OUTCOME_UNKNOWN", message, { cause: error, details }),
      )
    }
    return this.failed(sent, error)
  }

  private watched(sent: SentText, callback: Callback): Callback {
    return (error, answer) => {
      let refusal: unknown = error
      try {
        if (error) this.failed(sent, error)
        this.succeeded(sent, answer)
      } catch (thrown) {
        refusal = thrown
      }
      if (refusal) callback(refusal)
      else callback(null, answer)
    }
  }

  private status(): string | undefined {
    // With several texts under way the status is that of the last answer, which may not be this one's.
    return this.connection.pipeline ? undefined : (this.connection.getTransactionStatus?.() ?? undefined)
  }

  private guarded(work: () => ChangeEventsError | undefined | void): ChangeEventsError | undefined {
    try {
      return work() ?? undefined
    } catch (cause) {
      const message = "a change could not be captured; this is a defect of the package, please report it"
      this.capture.environment.report(new ChangeEventsError("CAPTURE_FAILED", message, { cause }))
      return undefined
    }
  }
}

/** Whether the server itself refused the statement, and nothing of it stands: not one that went down, or out of reach. */
function isServersWord(error: unknown): boolean {
  const code = (error as { code?: unknown } | undefined)?.code
  return typeof code === "string" && /^(?!08|57P)[0-9A-Z]{5}$/.test(code)
}

const asText = (value: unknown): unknown => value
const AS_TEXT = { getTypeParser: () => asText }

/** The SQL of a call to `query`; undefined for a cursor or stream, which runs itself. */
function textOf(config: unknown): string | undefined {
  if (typeof config === "string") return config
  const { submit, text } = (config ?? {}) as { submit?: unknown; text?: unknown }
  return typeof submit !== "function" && typeof text === "string" ? text : undefined
}
