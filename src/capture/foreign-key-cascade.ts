import { contextOfWrite } from "../context/change-context"
import { asError, type ChangeEventsError } from "../errors"
import type { EventContext } from "../events/event-context"
import { cascadedPairs, type CascadedPairs, type CascadedRows } from "./cascaded-pairs"
import type { ChangeBatch } from "./captured-change"
import type { DriverField } from "./driver-connection"
import { rowChanges } from "./row-changes"
import type { RowImage, RowPair } from "./row-image"
import { runTexts, type RunText } from "./run-texts"
import { cascadedBehind, ownRows, type OwnRows } from "./own-rows"
import { StatementLocks, wroteOnly, type CascadingStatement } from "./statement-locks"
import { guarded, type IsWanted, type WatchedConnection } from "./statement-runner"
import type { TrackedRelation } from "./tracked-relation"

const SAVEPOINT = '"change_events_cascade"'
const CLOCK = "SELECT extract(epoch FROM clock_timestamp())"

/** How often it is carried out where it finds other rows than were locked for it. */
const MOST_ATTEMPTS = 3
const UNFORESEEN = "it wrote rows that it had not found before"

/** Carries out a statement. Each time it takes `isWanted` for what it wrote. */
type CarryOut<Result> = (isWanted?: IsWanted) => Promise<Result>

interface CarriedOut<Result> {
  readonly result: Result
  /** What points to its rows; undefined: not known. */
  readonly cascaded?: readonly CascadedRows[]
  /** Why nothing of it can be told. */
  readonly reason: string | undefined
}

/**
 * Tells what foreign keys do to other rows when rows are deleted, or get another key. In the statement's own transaction the rows that it
 * is about to write are locked, so that nobody can come to point to them any more; then what points to them is read and locked; and after
 * the statement it is looked at again. Where others came to be the statement's rows in between, it is undone and all is done again. What
 * fails of this is undone and reported, and the statement is carried out all the same; but for a deadlock that comes again and again, of
 * which the statement fails.
 */
export class ForeignKeyCascade {
  private readonly run: RunText
  private readonly locks: StatementLocks

  constructor(private readonly watched: WatchedConnection) {
    this.run = runTexts(watched.connection, watched.bareQuery)
    this.locks = new StatementLocks(watched, this.run)
  }

  /** Carries out the statement, and adds the changes of the other rows behind its own. */
  async around<Result>(sent: CascadingStatement, carryOut: CarryOut<Result>): Promise<Result> {
    const context = contextOfWrite(this.watched.log)
    const { result, cascaded, reason } = await this.carriedOut(sent, carryOut)
    const untold = cascaded ? ((await this.tell(cascaded, context)) ?? reason) : reason
    await this.watched.outbox?.writeIfFull()
    const refusal = untold === undefined ? undefined : this.untold(sent, untold)
    if (refusal) throw refusal
    return result
  }

  /** Once more where it found other rows than were locked for it: as if it had come a moment later. */
  private async carriedOut<Result>(sent: CascadingStatement, carryOut: CarryOut<Result>): Promise<CarriedOut<Result>> {
    for (let attempt = 1; ; attempt++) {
      const locked = await this.locks.take(sent)
      if (typeof locked !== "object") return { result: await carryOut(), reason: locked }
      const isLast = attempt === MOST_ATTEMPTS
      let own: OwnRows | undefined
      const result = await carryOut((rows) => {
        const written = ownRows(sent.statement, rows)
        if (wroteOnly(locked, rows.changedRows, written)) own = written
        return own !== undefined || isLast
      })
      if (own) return { result, cascaded: cascadedBehind(locked.cascaded, sent.statement, own), reason: undefined }
      if (isLast) return { result, cascaded: [], reason: UNFORESEEN }
      await this.locks.undoStatement()
    }
  }

  /**
   * Why they could not be told, if so.
   *
   * @throws where the transaction, and with it the statement, has failed by it
   */
  private async tell(found: readonly CascadedRows[], context: EventContext): Promise<string | undefined> {
    if (found.length === 0) return void (await this.locks.keep())
    await this.locks.keep(`SAVEPOINT ${SAVEPOINT}`)
    try {
      const tables = await cascadedPairs(this.run, found)
      const [clock] = await this.run(`${CLOCK}; RELEASE SAVEPOINT ${SAVEPOINT}`)
      const writtenAt = Number((clock?.rows[0] as RowImage)[0])
      for (const table of tables) guarded(this.watched.capture, () => this.add(table, context, writtenAt))
      return undefined
    } catch (error) {
      await this.undo(error)
      return asError(error).message
    }
  }

  private async undo(cause: unknown): Promise<void> {
    await this.run(`ROLLBACK TO SAVEPOINT ${SAVEPOINT}; RELEASE SAVEPOINT ${SAVEPOINT}`).catch(() => {
      throw cause
    })
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

function differs({ before, after }: RowPair): boolean {
  return JSON.stringify(before) !== JSON.stringify(after)
}

/** A list is the same under another key of the row that it belongs to. */
function underOneKey({ own }: TrackedRelation, pair: RowPair): RowPair {
  const { before, after } = pair
  if (!before || !after) return pair
  return { before: before.map((text, index) => (own.includes(index) ? (after[index] ?? null) : text)), after }
}
