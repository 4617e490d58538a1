import type { DataSource, ObjectLiteral, ObjectType } from "typeorm"
import type { Capture } from "./capture/capture"
import type { EntityReference } from "./capture/capture-options"
import type { EntityRecords } from "./capture/entity-record"
import { readStatementRow } from "./capture/statement-row"
import type { RecordOf } from "./change-event-of"
import { ChangeEventsError } from "./errors"
import type { ChangeEvent, ChangeRecord, OutgoingEvent } from "./events/change-event"
import { outboxOff } from "./outbox-off"
import { ChangeHistory, type HistoryOptions, type HistoryPage } from "./outbox/change-history"
import type { ChangeLogTables } from "./outbox/change-log-tables"
import { logOrigin } from "./outbox/log-origin"
import type { SqlQuery } from "./outbox/log-rows"

/** A change of one entity, as the log knows it. */
export type ChangeOf<Entity extends object> = Omit<ChangeEvent, "prechange" | "postchange"> & {
  readonly prechange: RecordOf<Entity> | null
  readonly postchange: RecordOf<Entity> | null
}

/** An entity's primary key: a value, or an object of its properties. */
export type EntityKey = string | number | bigint | Date | Readonly<Record<string, unknown>>

/** What the change log tells of the past. Only with `delivery: "outbox"`. */
export interface EventHistory {
  /**
   * The changes of one row, newest first, a page at a time. A row whose primary key was changed has them under the one it had.
   *
   * @throws ChangeEventsError OUTBOX_OFF, RECORD_INVALID, DATA_SOURCE_NOT_ATTACHED, EVENT_UNSERIALIZABLE
   */
  history<Entity extends ObjectLiteral>(
    entity: ObjectType<Entity>,
    id: EntityKey,
    options?: HistoryOptions,
  ): Promise<HistoryPage<ChangeOf<Entity> & ChangeEvent>>
  history(entity: EntityReference, id: EntityKey, options?: HistoryOptions): Promise<HistoryPage<ChangeEvent>>
  /**
   * The row as it stood at that time: null where it did not exist then, undefined where the log does not reach back so far.
   */
  stateAt<Entity extends ObjectLiteral>(
    entity: ObjectType<Entity>,
    id: EntityKey,
    time: Date,
  ): Promise<RecordOf<Entity> | null | undefined>
  stateAt(entity: EntityReference, id: EntityKey, time: Date): Promise<ChangeRecord | null | undefined>
  /**
   * All events of the transaction, in their order; its id stands beside each event of a history. Databases count their transactions each by
   * themselves: with several, `dataSource` says which is meant, and without it those of all of them are given.
   */
  transaction(transactionId: string, options?: { readonly dataSource?: DataSource }): Promise<readonly OutgoingEvent[]>
}

export interface HistoryEnvironment {
  readonly captures: ReadonlySet<Capture>
  readonly records: EntityRecords
  /** Undefined without an outbox. */
  readonly tables: ChangeLogTables | undefined
}

export function eventHistory(environment: HistoryEnvironment): EventHistory {
  const { records } = environment
  const ofEntity = (entity: EntityReference): Promise<ChangeHistory> =>
    historyOf(environment, captureOf(environment, entity))
  const history = async (entity: EntityReference, id: EntityKey, options: HistoryOptions = {}): Promise<never> =>
    (await (await ofEntity(entity)).ofRow(records.keyOf(entity, id), options)) as never
  const stateAt = async (entity: EntityReference, id: EntityKey, time: Date): Promise<never> =>
    (await (await ofEntity(entity)).stateAt(records.keyOf(entity, id), time)) as never
  return {
    history,
    stateAt,
    transaction: async (id, { dataSource } = {}) => {
      if (!environment.tables) throw outboxOff("transaction()")
      const meant = [...environment.captures].filter((capture) => !dataSource || capture.dataSource === dataSource)
      if (dataSource && meant.length === 0) throw notAttached("the DataSource has no subscriber of this package")
      const histories = meant.map((capture) => historyOf(environment, capture))
      const found = await Promise.all(histories.map(async (each) => (await each).transaction(id)))
      // Several DataSources may be of one database.
      return [...new Map(found.flat().map((event) => [event.id, event])).values()]
    },
  }
}

async function historyOf({ tables }: HistoryEnvironment, capture: Capture): Promise<ChangeHistory> {
  if (!tables) throw outboxOff("history()")
  await capture.whenKnown(undefined)
  const query: SqlQuery = (text, values) => capture.dataSource.query(text, values)
  const reader = { readStatementRow: readStatementRow.bind(undefined, capture), origin: await logOrigin(query, tables) }
  return new ChangeHistory(query, tables, reader)
}

function captureOf({ captures }: HistoryEnvironment, entity: EntityReference): Capture {
  for (const capture of captures) {
    if (capture.dataSource.hasMetadata(entity as never)) return capture
  }
  throw notAttached("no initialised DataSource with the subscriber has this entity")
}

function notAttached(message: string): ChangeEventsError {
  return new ChangeEventsError("DATA_SOURCE_NOT_ATTACHED", message)
}
