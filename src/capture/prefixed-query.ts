import type { SqlStatement } from "../events/transactional-sink"
import { isServersWord } from "../runtime/servers-word"
import type { DriverConnection } from "./driver-connection"
import type { Callback, DataRow, DriverQuery, DriverQueryClass, ProtocolConnection, QueryConfig } from "./driver-query"
import { inOneWrite, leanQuery } from "./lean-query"
import { perConnection } from "./per-connection"

/** A statement before the query's own was refused, and with it the query was not carried out. */
export class PrefixFailed extends Error {
  constructor(
    readonly statement: SqlStatement,
    override readonly cause: unknown,
  ) {
    super("a statement before the query failed")
  }
}

/**
 * Sends statements and, behind them, a query, in one write with one Sync. If one fails the server skips the rest up to the Sync, so that
 * a COMMIT behind an INSERT is carried out only if the INSERT was. Sending both without waiting does not do that: the COMMIT of a
 * failed transaction succeeds, with the tag ROLLBACK, and its data is gone without an error.
 *
 * @throws PrefixFailed; what the query itself fails with
 */
export function queryBehind(
  connection: DriverConnection,
  bareQuery: DriverConnection["query"],
  prefix: readonly SqlStatement[],
  config: QueryConfig,
): Promise<unknown> {
  const Query = prefixedQuery((connection.constructor as unknown as { Query: DriverQueryClass }).Query)
  const answering = new Promise((resolve, reject) => {
    const callback: Callback = (error, answer) => (error ? reject(error as Error) : resolve(answer))
    bareQuery.call(connection, new Query(prefix, config, callback))
  })
  return answering.catch(ledBackToCaller)
}

/** As `pg` does: the stack leads to whoever asked, and not to the socket. */
function ledBackToCaller(error: unknown): never {
  if (error instanceof Error) Error.captureStackTrace(error)
  throw error
}

/** Whether the connection's driver has what `queryBehind` needs: `pg` has, unless its protocol is told to send queries ahead. */
export function canQueryBehind(connection: DriverConnection): boolean {
  return typeof (connection.constructor as { Query?: unknown }).Query === "function" && !connection.pipeline
}

type PrefixedQueryClass = new (prefix: readonly SqlStatement[], config: QueryConfig, callback: Callback) => DriverQuery

const classes = new WeakMap<DriverQueryClass, PrefixedQueryClass>()

function prefixedQuery(Query: DriverQueryClass): PrefixedQueryClass {
  const known = classes.get(Query)
  if (known) return known
  const made = definePrefixedQuery(Query)
  classes.set(Query, made)
  return made
}

/** Statements of a prefix by name, as the connection's server knows them: its text, or undefined when an error left it open. */
const preparedOn = perConnection<string | undefined>()

function definePrefixedQuery(Query: DriverQueryClass): PrefixedQueryClass {
  return class PrefixedQuery extends leanQuery(Query) {
    private done = 0
    private wasParsed = false

    constructor(
      private readonly prefix: readonly SqlStatement[],
      config: QueryConfig,
      callback: Callback,
    ) {
      super(config, callback)
    }

    override submit(connection: ProtocolConnection): Error | null {
      this.wasParsed = this.name !== undefined && connection.parsedStatements[this.name] !== undefined
      if (this.prefix.length === 0) return super.submit(connection)
      return inOneWrite(connection, (collecting) => {
        for (const statement of this.prefix) sendStatement(collecting, statement)
        return super.submit(collecting)
      })
    }

    override handleDataRow(message: DataRow): void {
      // What a statement of the prefix returns, nobody asked for.
      if (this.done === this.prefix.length) super.handleDataRow(message)
    }

    override handleCommandComplete(message: unknown, connection: ProtocolConnection): void {
      const statement = this.prefix[this.done]
      if (!statement) return super.handleCommandComplete(message, connection)
      this.done++
      if (statement.name) preparedOn(connection).set(statement.name, statement.text)
    }

    override handleError(error: unknown, connection: ProtocolConnection): void {
      // A connection that broke says nothing of how far the server came.
      const refused = this.prefix[this.done]
      if (!refused || !isServersWord(error)) return super.handleError(error, connection)
      for (const { name } of this.prefix.slice(this.done)) if (name) preparedOn(connection).set(name, undefined)
      // `pg` takes the first answer to a Parse for that of the query's own, which was not reached.
      if (this.name !== undefined && !this.wasParsed) delete connection.parsedStatements[this.name]
      super.handleError(new PrefixFailed(refused, error), connection)
    }
  }
}

function sendStatement(connection: ProtocolConnection, { name, text, values }: SqlStatement): void {
  const known = preparedOn(connection)
  if (name === "" || known.get(name) !== text) {
    // Closing what does not exist is no error, preparing what exists is.
    if (known.has(name)) connection.close({ type: "S", name })
    connection.parse({ name, text })
  }
  connection.bind({ portal: "", statement: name, values, binary: false })
  connection.execute({ portal: "", rows: 0 })
}
