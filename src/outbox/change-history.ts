import type { ChangeEvent, ChangeRecord, OutgoingEvent } from "../events/change-event"
import { isBigintText } from "../runtime/bigint-text"
import { logKey } from "./change-log-writer"
import type { ChangeLogTables } from "./change-log-tables"
import { loggedEvents, type LogReader } from "./logged-events"
import { selectLogRows, toLogRow, type PlacedLogRow, type SqlQuery } from "./log-rows"

export interface HistoryOptions {
  /** Most events a page holds. Default 100, at most 1,000. */
  readonly limit?: number
  /** Where the last page ended: its `next`. Default: from the newest event. */
  readonly before?: string
}

/** An event of the past, and the transaction it belongs to. */
export interface PastEvent<Event extends OutgoingEvent = OutgoingEvent> {
  readonly event: Event
  /** For `changes.transaction`. */
  readonly transactionId: string
}

export interface HistoryPage<Event extends OutgoingEvent = OutgoingEvent> {
  /** Newest first. */
  readonly events: readonly PastEvent<Event>[]
  /** Where the next page begins, for `before`; undefined when this one is the last. */
  readonly next: string | undefined
}

const DEFAULT_LIMIT = 100
const MAX_LIMIT = 1_000
/** Past any id. */
const NEWEST = "9223372036854775807"

/** What the change log tells of the past, as far back as it is kept. */
export class ChangeHistory {
  private readonly select: string

  constructor(
    private readonly query: SqlQuery,
    tables: ChangeLogTables,
    private readonly reader: LogReader,
  ) {
    this.select = selectLogRows(tables)
  }

  /** The changes of the row with this key. */
  async ofRow(
    key: string,
    { limit = DEFAULT_LIMIT, before = NEWEST }: HistoryOptions,
  ): Promise<HistoryPage<ChangeEvent>> {
    const count = Math.min(Math.max(1, Math.trunc(limit)), MAX_LIMIT)
    const rows = await this.rows("log.key = $1 AND log.id < $2 ORDER BY log.id DESC LIMIT $3", [
      logKey(key),
      before,
      count,
    ])
    const events = rows.flatMap((row) => this.read(row).reverse()).filter(isChange)
    return { events, next: rows.length < count ? undefined : String(rows.at(-1)?.id) }
  }

  /**
   * The row as it stood then: null where it did not exist, undefined where the log does not reach back so far, or never knew of it.
   */
  async stateAt(key: string, time: Date): Promise<ChangeRecord | null | undefined> {
    const before = await this.first("log.key = $1 AND log.written_at <= $2 ORDER BY log.id DESC", [logKey(key), time])
    if (before) return before.postchange
    const after = await this.first("log.key = $1 AND log.written_at > $2 ORDER BY log.id", [logKey(key), time])
    return after?.prechange
  }

  /** All events of one transaction, in their order. */
  async transaction(transactionId: string): Promise<readonly OutgoingEvent[]> {
    if (!isBigintText(transactionId)) return []
    const rows = await this.rows("log.xid::text::bigint = $1::bigint ORDER BY log.id", [transactionId])
    return rows.flatMap((row) => this.read(row).map(({ event }) => event))
  }

  /** The first row that makes an event at all: of one in which nothing differs there is none. */
  private async first(condition: string, values: readonly unknown[]): Promise<ChangeEvent | undefined> {
    for (let offset = 0; ; offset += DEFAULT_LIMIT) {
      const rows = await this.rows(`${condition} LIMIT ${DEFAULT_LIMIT} OFFSET ${offset}`, values)
      const found = rows.flatMap((row) => this.read(row)).find(isChange)
      if (found || rows.length < DEFAULT_LIMIT) return found?.event
    }
  }

  private async rows(condition: string, values: readonly unknown[]): Promise<readonly PlacedLogRow[]> {
    return (await this.query(`${this.select} WHERE ${condition}`, [...values])).map(toLogRow)
  }

  private read(row: PlacedLogRow): PastEvent[] {
    const { transactionId } = row
    return loggedEvents(row, this.reader).map((event) => ({ event, transactionId }))
  }
}

function isChange(past: PastEvent): past is PastEvent<ChangeEvent> {
  return past.event.kind === "change"
}
