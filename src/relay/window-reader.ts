import type { ChangeLogTables } from "../outbox/change-log-tables"
import type { LogRow } from "../events/log-row"
import { inMilliseconds } from "../outbox/log-rows"
import { closeWindow, movedTo, openWindow, type CursorPosition } from "./cursor-position"
import { isInShard } from "./cursor-sql"
import type { RelayConnection } from "./relay-connection"

/** Some rows of the log, in their order, and where the cursor stands before and behind them. */
export interface LogPage {
  readonly rows: readonly LogRow[]
  readonly before: CursorPosition
  readonly after: CursorPosition
  /** Whether there was nothing to read, not even a window. */
  readonly isIdle: boolean
}

export interface WindowReaderOptions {
  readonly connection: RelayConnection
  readonly tables: ChangeLogTables
  readonly shard: number
  readonly shards: number
  /** Most rows of a page. */
  readonly pageRows: number
}

/** What the rows of a page may hold together, in bytes; one row is always read. */
const MAX_PAGE_BYTES = 8 * 1024 * 1024

/**
 * How many rows a page looks through where most of them may have been done before, as behind a transaction that was open while a million
 * rows were logged: a statement must end in time however little is new. First few, for which the server surely takes the index; many once
 * few were not enough.
 */
const FEW_ROWS = 1_000
const MANY_ROWS = 20_000

/** Reads the log page by page from a position on: what became visible since, in the order of the ids. */
export class WindowReader {
  private readonly pageText: string
  private readonly reachedText: string
  private partRows = FEW_ROWS

  constructor(
    private position: CursorPosition,
    private readonly options: WindowReaderOptions,
  ) {
    this.pageText = pageQuery(options, options.tables.log)
    this.reachedText = `SELECT coalesce(pg_sequence_last_value(pg_get_serial_sequence('${options.tables.log}', 'id')), 0)::text AS reached`
  }

  async next(): Promise<LogPage> {
    const opened = this.position.window ? this.position : await this.open()
    if (!opened?.window) return { rows: [], before: this.position, after: this.position, isIdle: true }
    const { done, window } = opened
    const part = this.partOf(opened)
    const text = part ? pageQuery(this.options, `(${part}) AS part`) : this.pageText
    const lists = await this.options.connection.lists(text, [window.lastId, done, window.until])
    const rows = lists.map((list) => new PageRow(list))
    // A page that holds more than it should was cut behind that row, or just before its end.
    const isCut = rows.length === this.options.pageRows || Number(lists.at(-1)?.[8] ?? 0) > MAX_PAGE_BYTES
    const after = isCut ? movedTo(opened, String(rows.at(-1)?.id)) : await this.behind(opened, part)
    this.position = after
    this.partRows = isCut ? FEW_ROWS : MANY_ROWS
    return { rows, before: opened, after, isIdle: false }
  }

  /** The rows that the page looks through; undefined: as many as it takes. */
  private partOf({ doneId, window }: CursorPosition): string | undefined {
    if (!window || BigInt(doneId) - BigInt(window.lastId) <= MANY_ROWS) return undefined
    return `SELECT * FROM ${this.options.tables.log} WHERE id > $1::bigint ORDER BY id LIMIT ${this.partRows}`
  }

  /** With all of the part done, or the whole window. The part may have got rows meanwhile, and so end earlier, but lost none. */
  private async behind(opened: CursorPosition, part: string | undefined): Promise<CursorPosition> {
    if (!part) return closeWindow(opened)
    const lastText = `SELECT max(id)::text, count(*)::int FROM (${part}) AS part`
    const [[last, count]] = (await this.options.connection.lists(lastText, [opened.window?.lastId])) as [
      [string, number],
    ]
    return count < this.partRows ? closeWindow(opened) : movedTo(opened, last)
  }

  /** Where all that is committed by now is done. */
  async now(): Promise<CursorPosition> {
    const reached = await this.value(this.reachedText)
    await this.value(OWN_TRANSACTION)
    const done = await this.value(SNAPSHOT)
    // Of a transaction that is open now nobody knows where its ids begin.
    const [, , open = ""] = done.split(":")
    const xids = open === "" ? [] : open.split(",")
    return { done, doneId: reached, open: Object.fromEntries(xids.map((xid) => [xid, "0"])), window: undefined }
  }

  /** The position with a window of what became visible since; undefined when that is nothing. */
  private async open(): Promise<CursorPosition | undefined> {
    const { doneId, open } = this.position
    const reached = await this.value(this.reachedText)
    if (reached === doneId) {
      const isWaiting = Object.keys(open).length > 0
      if (!isWaiting || !openWindow(this.position, { reached, snapshot: await this.value(SNAPSHOT) })) return undefined
    }
    // What a snapshot calls its end is behind the last transaction that ended; those open behind that it does not list. So one is made to
    // end here: the snapshot lists every transaction that had an id when `reached` was read.
    await this.value(OWN_TRANSACTION)
    return openWindow(this.position, { reached, snapshot: await this.value(SNAPSHOT) })
  }

  /** Each a statement, and so with a snapshot, of its own. */
  private async value(text: string): Promise<string> {
    const [[value]] = (await this.options.connection.lists(text, [])) as [[unknown]]
    return String(value)
  }
}

const OWN_TRANSACTION = "SELECT pg_current_xact_id()"
const SNAPSHOT = "SELECT pg_current_snapshot()::text"

/** Of those in `from`, behind $1. */
function pageQuery({ tables, shard, shards, pageRows }: WindowReaderOptions, from: string): string {
  const own = shards > 1 ? `AND ${isInShard("key", String(shards), String(shard))}` : ""
  const sizes = ["event", "record", "old_row", "new_row"].map((name) => `coalesce(octet_length(${name}), 0)`)
  // Not as a date, which is dear to read, too.
  return `
    SELECT id::text, key, ${inMilliseconds("written_at")}, event, record,
           (SELECT body FROM ${tables.statement} AS statement WHERE statement.id = page.statement_id), old_row, new_row, bytes
    FROM (
      SELECT *, sum(size) OVER (ORDER BY id ROWS UNBOUNDED PRECEDING) AS bytes
      FROM (
        SELECT *, ${sizes.join(" + ")} AS size FROM ${from}
        WHERE id > $1::bigint AND xid < pg_snapshot_xmax($3::pg_snapshot)
          AND pg_visible_in_snapshot(xid, $3::pg_snapshot) AND NOT pg_visible_in_snapshot(xid, $2::pg_snapshot) ${own}
        ORDER BY id LIMIT ${pageRows}
      ) AS row
    ) AS page WHERE bytes - size <= ${MAX_PAGE_BYTES} ORDER BY page.id`
}

/** As `pageQuery` lists its columns. A class for the sake of speed (docs/decisions/0007). */
class PageRow implements LogRow {
  readonly id: bigint
  readonly key: string
  readonly writtenAt: Date
  readonly event: string | null
  readonly record: string | null
  readonly body: string | null
  readonly oldRow: string | null
  readonly newRow: string | null

  constructor([id, key, writtenAtMs, event, record, body, oldRow, newRow]: readonly unknown[]) {
    this.id = BigInt(id as string)
    this.key = key as string
    this.writtenAt = new Date(Number(writtenAtMs))
    this.event = event as string | null
    this.record = record as string | null
    this.body = body as string | null
    this.oldRow = oldRow as string | null
    this.newRow = newRow as string | null
  }
}
