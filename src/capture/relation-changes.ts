import { ChangeEventsError } from "../errors"
import { isOfFailedTransaction } from "../runtime/servers-word"
import type { Capture } from "./capture"
import type { ChangeBatch } from "./captured-change"
import type { DriverConnection } from "./driver-connection"
import { JunctionChange } from "./junction-change"
import type { RowPair } from "./row-image"
import {
  foldedEvents,
  junctionChanges,
  listsOf,
  needsReading,
  toldRows,
  type BatchSource,
  type ListedRow,
  type ToldRow,
} from "./relation-events"
import { RelationReader, type FoundRow, type Reading } from "./relation-reader"
import type { WantedLists } from "./relation-sql"
import { ReadingRefused, runTexts } from "./run-texts"
import { textOfKey, touchedRows } from "./touched-row"
import type { TransactionLog } from "./transaction-log"
import { transactionEnding } from "./transaction-commands"
import type { TrackedJunction } from "./tracked-relation"

/** Makes what a connection's transactions do to junctions part of the events of the rows that list others through them. */
export class RelationChanges {
  private readonly reader: RelationReader
  private isTouched = false

  constructor(
    private readonly connection: DriverConnection,
    private readonly capture: Capture,
    private readonly log: TransactionLog,
  ) {
    this.reader = new RelationReader({ maxKeys: capture.maxRows, locksRows: capture.serverMajor >= 18 })
  }

  /** After a statement on a junction; without rows they were too many. `writtenAt` as in the log. */
  note(junction: TrackedJunction, batch: ChangeBatch, rows: readonly RowPair[] | undefined, writtenAt: number): void {
    this.isTouched = true
    this.log.add([new JunctionChange(junction, batch, rows)], junction.entity, writtenAt)
  }

  /** Whether the text may commit changes of relations, which have to be completed before it is sent. */
  isDue(text: string): boolean {
    if (!this.isTouched || transactionEnding(text) !== "commit") return false
    this.isTouched = this.log.pending.some((event) => event instanceof JunctionChange)
    return this.isTouched
  }

  /**
   * Just before a COMMIT. Gives the error to throw in its place, if some change can make no event and the policy is to throw; else never
   * fails, nor does the transaction.
   */
  async complete(bareQuery: DriverConnection["query"]): Promise<ChangeEventsError | undefined> {
    this.isTouched = false
    const events = this.log.pending
    try {
      return await this.fold(bareQuery)
    } catch (cause) {
      this.log.replacePending(new Map(junctionChanges(events).map((change) => [change, []])))
      const message = "a change of a relation could not be captured; this is a defect of the package, please report it"
      this.capture.environment.report(new ChangeEventsError("CAPTURE_FAILED", message, { cause }))
      return undefined
    }
  }

  private async fold(bareQuery: DriverConnection["query"]): Promise<ChangeEventsError | undefined> {
    const events = this.log.pending
    const touched = touchedRows(junctionChanges(events))
    const rows = toldRows(touched, events)
    const wanted = wantedLists(rows.filter(needsReading))
    const reading = wanted.length > 0 ? await this.read(bareQuery, wanted) : { found: [], readAt: 0 }
    const reason = typeof reading === "string" ? reading : "the row that lists it was not found"
    const found = typeof reading === "string" ? () => undefined : finderIn(wanted, reading)
    const [listed, untold] = listedRows(rows, found)
    this.log.replacePending(foldedEvents(events, listed, this.source))
    const readAt = typeof reading === "string" ? 0 : reading.readAt
    for (const { relation } of listed) this.log.add([], relation.entity, readAt)
    return this.reportUntold(untold, reason)
  }

  /** The reason why not, if it cannot. */
  private async read(bareQuery: DriverConnection["query"], wanted: readonly WantedLists[]): Promise<Reading | string> {
    // The server will answer this COMMIT with ROLLBACK.
    if (this.connection.getTransactionStatus?.() === "E") return ""
    try {
      return await this.reader.read(runTexts(this.connection, bareQuery), wanted)
    } catch (error) {
      if (error instanceof ReadingRefused) return error.message
      const { message } = error as { message?: unknown }
      return isOfFailedTransaction(error) ? "" : `its list could not be read: ${String(message)}`
    }
  }

  private reportUntold(untold: readonly ToldRow[], reason: string): ChangeEventsError | undefined {
    const junctions = new Set(untold.map(({ junction }) => junction))
    let refusal: ChangeEventsError | undefined
    for (const junction of reason === "" ? [] : junctions) {
      const own = untold.filter((row) => row.junction === junction)
      const count = own.reduce((sum, { added, removed }) => sum + added.length + removed.length, 0)
      refusal ??= this.capture.uncaptured.untold(junction.entity.metadata.tablePath, count, reason)
    }
    return refusal
  }

  private readonly source: BatchSource = {
    batchOf: ({ relation, first }: ListedRow, { fields }: FoundRow) => ({
      ...first.batch,
      entity: relation.entity,
      parsers: fields.map(({ dataTypeID, format }) => this.connection.getTypeParser(dataTypeID, format)),
    }),
  }
}

function wantedLists(rows: readonly ToldRow[]): WantedLists[] {
  const relations = new Map(rows.map(({ relation, junction }) => [relation, junction]))
  return [...relations].map(([relation, junction]) => ({
    relation,
    junction,
    keys: rows.filter((row) => row.relation === relation).map(({ key }) => key),
  }))
}

type Finder = (row: ToldRow) => FoundRow | undefined

function finderIn(wanted: readonly WantedLists[], { found }: Reading): Finder {
  const byRelation = new Map(wanted.map(({ relation }, index) => [relation, found[index]]))
  return ({ relation, key }) => byRelation.get(relation)?.get(textOfKey(key))
}

/** Those whose lists are known, and the others. */
function listedRows(rows: readonly ToldRow[], find: Finder): readonly [ListedRow[], ToldRow[]] {
  const listed: ListedRow[] = []
  const untold: ToldRow[] = []
  for (const row of rows) {
    const found = find(row)
    if (needsReading(row) && !found) untold.push(row)
    else listed.push({ ...row, found, lists: listsOf(row, found) })
  }
  return [listed, untold]
}
