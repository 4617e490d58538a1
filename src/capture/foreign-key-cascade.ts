import { contextOfWrite } from "../context/change-context"
import { asError, type ChangeEventsError } from "../errors"
import type { EventContext } from "../events/event-context"
import { CascadeReader, isAny, tooMany, wantedRows } from "./cascade-reader"
import { keyLockText, type LockingText } from "./cascade-sql"
import { cascadedPairs, type CascadedPairs, type CascadedRows } from "./cascaded-pairs"
import type { Capture } from "./capture"
import type { CapturedStatement } from "./captured-statement"
import type { ChangeBatch } from "./captured-change"
import { retriedAtDeadlock } from "./deadlock-retries"
import type { DriverField, DriverResult } from "./driver-connection"
import type { QueryConfig } from "./driver-query"
import { canQueryBehind, queryBehind } from "./prefixed-query"
import { rowChanges } from "./row-changes"
import type { RowImage, RowPair } from "./row-image"
import { ROWS_AS_TEXT } from "./rows-as-text"
import { runTexts, type RunText } from "./run-texts"
import type { WatchedConnection } from "./statement-runner"
import type { TrackedRelation } from "./tracked-relation"

const NAME = '"change_events_cascade"'
const SAVEPOINT = { text: `SAVEPOINT ${NAME}`, values: [] }
const CLOCK = "SELECT extract(epoch FROM clock_timestamp())"
const FAILED_TRANSACTION = "25P02"

/** A DELETE whose rows others point to, or an UPDATE of what they point to. */
export interface CascadingStatement {
  readonly statement: CapturedStatement
  readonly values: unknown[]
}

/**
 * Tells what foreign keys do to other rows when rows are deleted, or get another key. In the statement's own transaction the rows that it
 * is about to write are locked, so that nobody can come to point to them any more; then what points to them is read and locked; and after
 * the statement it is looked at again. What fails of this is undone and reported, and the statement is carried out all the same; but for a
 * deadlock that comes again and again, of which the statement fails.
 */
export class ForeignKeyCascade {
  private readonly run: RunText

  constructor(private readonly watched: WatchedConnection) {
    this.run = runTexts(watched.connection, watched.bareQuery)
  }

  /** Carries out the statement, and adds the changes of the other rows behind its own. */
  async around<Result>(sent: CascadingStatement, carryOut: () => Promise<Result>): Promise<Result> {
    const context = contextOfWrite(this.watched.log)
    const found = await this.find(sent)
    const result = await carryOut()
    const reason = typeof found === "string" ? found : await this.tell(found, context)
    const refusal = reason === undefined ? undefined : this.untold(sent, reason)
    if (refusal) throw refusal
    return result
  }

  /** The rows, or why they cannot be told; none when the transaction has failed already, and the statement will as well. */
  private async find(sent: CascadingStatement): Promise<readonly CascadedRows[] | string> {
    const { locking } = sent.statement
    if (locking === undefined || this.watched.connection.getTransactionStatus?.() === "E") return []
    return retriedAtDeadlock({
      read: () => this.read(sent, locking),
      undo: () => this.undo(),
      failed: reasonOf,
    })
  }

  private async read(
    { statement, values }: CascadingStatement,
    locking: readonly LockingText[],
  ): Promise<readonly CascadedRows[]> {
    const { capture } = this.watched
    const { actions, maxRows, newKeys, entity } = statement
    const locked = await this.lock(locking, values)
    if (locked.length > maxRows) throw tooMany(maxRows)
    const actionsOn: Capture["actionsOn"] = (metadata, event) => capture.actionsOn(metadata, event)
    const wanted = wantedRows(actions, locked, newKeys)
    // Where keys were to stay as they are, another one may have changed them since.
    const locks = locking.length > 1 ? wanted.filter(isAny).map((each) => keyLockText(entity, each)) : []
    const found = await new CascadeReader(this.run, { actionsOn, maxRows }).read(wanted, locks)
    await this.run(`RELEASE SAVEPOINT ${NAME}`)
    return found
  }

  private async lock(locking: readonly LockingText[], values: unknown[]): Promise<readonly RowImage[]> {
    const { connection, bareQuery } = this.watched
    const configs = locking.map(({ text, parameters }) => ({
      text,
      values: parameters.map((index) => values[index]),
      ...ROWS_AS_TEXT,
    }))
    let answer = await this.queryInSavepoint(configs[0] as QueryConfig)
    for (const config of configs.slice(1)) answer = await bareQuery.call(connection, config)
    return (answer as DriverResult).rows as RowImage[]
  }

  private async queryInSavepoint(config: QueryConfig): Promise<unknown> {
    const { connection, bareQuery } = this.watched
    if (canQueryBehind(connection)) return queryBehind(connection, bareQuery, [{ ...SAVEPOINT, name: "" }], config)
    await this.run(SAVEPOINT.text)
    return bareQuery.call(connection, config)
  }

  /** Makes the transaction what it was. Where there is none to recover, or no connection, the statement will tell. */
  private async undo(): Promise<void> {
    await this.run(`ROLLBACK TO SAVEPOINT ${NAME}; RELEASE SAVEPOINT ${NAME}`).catch(() => undefined)
  }

  /** Why they could not be told, if so. */
  private async tell(found: readonly CascadedRows[], context: EventContext): Promise<string | undefined> {
    if (found.length === 0) return undefined
    try {
      await this.run(SAVEPOINT.text)
      const tables = await cascadedPairs(this.run, found)
      const [clock] = await this.run(`${CLOCK}; RELEASE SAVEPOINT ${NAME}`)
      const writtenAt = Number((clock?.rows[0] as RowImage)[0])
      for (const table of tables) this.add(table, context, writtenAt)
      return undefined
    } catch (error) {
      await this.undo()
      const reason = reasonOf(error)
      return typeof reason === "string" ? reason : undefined
    }
  }

  private add({ table, fields, pairs }: CascadedPairs, context: EventContext, writtenAt: number): void {
    const { log, relations } = this.watched
    const { entity, junction } = table
    const batch = this.batch(entity, fields, { context, writtenAt })
    const changed = pairs.filter(differs)
    if (!junction)
      log.add(
        changed.flatMap((pair) => rowChanges(batch, pair)),
        entity,
        writtenAt,
      )
    else {
      for (const relation of junction.relations) {
        const pairs = changed.map((pair) => underOneKey(relation, pair)).filter(differs)
        if (pairs.length > 0) relations.note({ ...junction, relations: [relation] }, batch, pairs, writtenAt)
      }
    }
  }

  private batch(
    entity: ChangeBatch["entity"],
    fields: readonly DriverField[],
    { context, writtenAt }: { readonly context: EventContext; readonly writtenAt: number },
  ): ChangeBatch {
    const { capture, connection } = this.watched
    return {
      entity,
      context,
      occurredAt: new Date(writtenAt * 1_000),
      parsers: fields.map(({ dataTypeID, format }) => connection.getTypeParser(dataTypeID, format)),
      reader: capture.reader,
      emitUnchanged: capture.environment.options.emitUnchanged ?? false,
    }
  }

  private untold({ statement }: CascadingStatement, cause: string): ChangeEventsError | undefined {
    const { tablePath } = statement.entity.metadata
    return this.watched.capture.uncaptured.untold(tablePath, 0, `what its foreign keys do could not be read: ${cause}`)
  }
}

/** Nothing is to be told by a transaction that had failed before. */
function reasonOf(error: unknown): readonly CascadedRows[] | string {
  return (error as { code?: unknown }).code === FAILED_TRANSACTION ? [] : asError(error).message
}

function differs({ before, after }: RowPair): boolean {
  return JSON.stringify(before) !== JSON.stringify(after)
}

/** A list is the same under another key of the row that it belongs to. */
function underOneKey({ own }: TrackedRelation, pair: RowPair): RowPair {
  const { before, after } = pair
  if (!before || !after) return pair
  return { before: before.map((text, index) => (own.includes(index) ? (after[index] ?? null) : text)), after }
}
