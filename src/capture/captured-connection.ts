import { currentChangeContext } from "../context/change-context"
import { ChangeEventsError } from "../errors"
import type { EventContext } from "../events/event-context"
import type { Capture } from "./capture"
import type { ChangeBatch } from "./captured-change"
import type { CapturedStatement } from "./captured-statement"
import type { StatementPlan } from "./plan-statement"
import { resultsOf, type DriverConnection, type DriverResult } from "./driver-connection"
import { changesOf, takeRows, type StatementRows } from "./statement-rows"
import { TransactionLog } from "./transaction-log"

/**
 * The statement that a list of parameters belongs to. TypeORM hands the list that its builder made to the driver as it is, so its
 * identity tells a captured statement from any other, without a look at the text.
 */
const plans = new WeakMap<readonly unknown[], StatementPlan>()

export function rememberStatement(parameters: readonly unknown[], plan: StatementPlan): void {
  plans.set(parameters, plan)
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
  const { sink, report } = capture.environment
  const log = new TransactionLog({ sink, report, maxEvents: capture.maxEvents })
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
    const callback = args.at(-1)
    if (typeof callback === "function")
      return bareQuery.apply(this.connection, [...args.slice(0, -1), this.watched(text, callback as Callback)])

    const plan = Array.isArray(values) ? plans.get(values) : undefined
    if (plan && plan !== "unwanted") return this.runCaptured(bareQuery, text, values as unknown[], plan)
    const running = bareQuery.apply(this.connection, args) as Promise<unknown>
    return running.then(
      (answer) => this.succeeded(text, answer, plan !== "unwanted"),
      (error: unknown) => this.failed(text, error),
    )
  }

  private runCaptured(
    bareQuery: DriverConnection["query"],
    text: string,
    values: unknown[],
    statement: CapturedStatement,
  ): Promise<unknown> {
    const context = currentChangeContext() ?? this.log.fallbackContext
    const name = this.capture.prepared.nameOf(text)
    const send = (as: string | undefined): Promise<unknown> =>
      bareQuery.call(this.connection, { text, values, name: as, rowMode: "array", types: AS_TEXT }) as Promise<unknown>
    const received = (answer: unknown): unknown => this.captured(text, answer as DriverResult, statement, context)
    const failed = (error: unknown): never => this.failed(text, error)
    return send(name).then(received, (error: unknown) => {
      const isOurs = name !== undefined && this.capture.prepared.isOwnFailure(text, error)
      return isOurs && !this.log.isOpen ? send(undefined).then(received, failed) : failed(error)
    })
  }

  /** Gives TypeORM its own result back first: whatever fails after that must not reach it. */
  private captured(
    text: string,
    result: DriverResult,
    statement: CapturedStatement,
    context: EventContext,
  ): DriverResult {
    const rows = takeRows(statement, result, this.connection)
    const refusal = this.guarded(() => {
      const error = this.collect(statement, rows, context)
      this.log.settle(text, [result], this.status())
      return error
    })
    if (refusal) throw refusal
    return result
  }

  private collect(
    statement: CapturedStatement,
    rows: StatementRows,
    context: EventContext,
  ): ChangeEventsError | undefined {
    const { entity, maxRows } = statement
    if (rows.changedRows > maxRows) return this.capture.uncaptured.tooMany(entity.metadata.tablePath, rows.changedRows)
    if (rows.images.length > 0) this.log.add(changesOf(statement, rows.images, this.batch(statement, rows, context)))
    return statement.hidesWrite ? this.capture.uncaptured.hiddenWrite(entity.metadata.tablePath) : undefined
  }

  private batch(statement: CapturedStatement, rows: StatementRows, context: EventContext): ChangeBatch {
    return {
      entity: statement.entity,
      context,
      occurredAt: new Date(),
      parsers: statement.entity.columns.map((_, index) => {
        const field = rows.fields[index]
        return this.connection.getTypeParser(field?.dataTypeID ?? 0, field?.format ?? "text")
      }),
      reader: this.capture.reader,
      emitUnchanged: this.capture.environment.options.emitUnchanged ?? false,
    }
  }

  private succeeded(text: string, answer: unknown, inspected = true): unknown {
    const results = resultsOf(answer)
    const refusal = this.guarded(() => {
      const error = inspected ? this.capture.uncaptured.inspect(text, results) : undefined
      this.log.settle(text, results, this.status())
      return error
    })
    if (refusal) throw refusal
    return answer
  }

  private failed(text: string, error: unknown): never {
    this.guarded(() => {
      this.log.fail(text, (error as { severity?: unknown } | undefined)?.severity === "ERROR")
      return undefined
    })
    throw error
  }

  private watched(text: string, callback: Callback): Callback {
    return (error, answer) => {
      let refusal: unknown = error
      try {
        if (error) this.failed(text, error)
        this.succeeded(text, answer)
      } catch (thrown) {
        refusal = thrown
      }
      if (refusal) callback(refusal)
      else callback(null, answer)
    }
  }

  private status(): string | undefined {
    return this.connection.getTransactionStatus?.() ?? undefined
  }

  private guarded(work: () => ChangeEventsError | undefined): ChangeEventsError | undefined {
    try {
      return work()
    } catch (cause) {
      const message = "a change could not be captured; this is a defect of the package, please report it"
      this.capture.environment.report(new ChangeEventsError("CAPTURE_FAILED", message, { cause }))
      return undefined
    }
  }
}

const asText = (value: unknown): unknown => value
const AS_TEXT = { getTypeParser: () => asText }

/** The SQL of a call to `query`; undefined for a cursor or stream, which runs itself. */
function textOf(config: unknown): string | undefined {
  if (typeof config === "string") return config
  const { submit, text } = (config ?? {}) as { submit?: unknown; text?: unknown }
  return typeof submit !== "function" && typeof text === "string" ? text : undefined
}
