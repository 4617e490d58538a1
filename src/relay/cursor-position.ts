/** How far a cursor is (docs/decisions/0005). Snapshots as Postgres writes them, `xmin:xmax:xip,…`; ids as texts of 64 bits. */
export interface CursorPosition {
  /** All that is visible in this snapshot is done. */
  readonly done: string
  /** What the log's sequence had reached before `done` was taken: transactions that `done` does not know have greater ids. */
  readonly doneId: string
  /** The transactions that were open in `done`, with the id that all of theirs are greater than. */
  readonly open: Readonly<Record<string, string>>
  /** The window that is being delivered; undefined between two. */
  readonly window: LogWindow | undefined
}

/** What became visible between `done` and this snapshot. */
export interface LogWindow {
  readonly until: string
  /** What the sequence had reached before `until` was taken. */
  readonly untilId: string
  /** The last id of it that is done; the first page begins behind `windowFloor`. */
  readonly lastId: string
}

/** Before anything that was ever logged. */
export const BEGINNING: CursorPosition = { done: "1:1:", doneId: "0", open: {}, window: undefined }

/** What the log's sequence had reached, and a snapshot taken behind that which knows every transaction that had an id by then. */
export interface LogMark {
  readonly reached: string
  readonly snapshot: string
}

/**
 * The position with a window up to the mark; undefined when there can be nothing in it: no transaction has begun to log since, and none
 * of those that were open has ended.
 */
export function openWindow(position: CursorPosition, { reached, snapshot }: LogMark): CursorPosition | undefined {
  const ended = endedIds(position, snapshot)
  if (reached === position.doneId && ended.length === 0) return undefined
  const lastId = String(least([BigInt(position.doneId), ...ended]))
  return { ...position, window: { until: snapshot, untilId: reached, lastId } }
}

/** The position behind its window. */
export function closeWindow(position: CursorPosition): CursorPosition {
  const { window, doneId, open } = position
  if (!window) return position
  const stillOpen = [...openTransactions(window.until)]
  return {
    done: window.until,
    doneId: window.untilId,
    // One that was not open in `done` began behind it, so its ids are greater than `doneId`.
    open: Object.fromEntries(stillOpen.map((xid) => [xid, open[xid] ?? doneId])),
    window: undefined,
  }
}

/** The position with everything up to this id of the window done. */
export function movedTo(position: CursorPosition, lastId: string): CursorPosition {
  return position.window ? { ...position, window: { ...position.window, lastId } } : position
}

/** For each transaction that was open in `done` and is not in the snapshot: what its ids are greater than. */
function endedIds({ open }: CursorPosition, snapshot: string): bigint[] {
  const known = Object.entries(open)
  if (known.length === 0) return []
  const stillOpen = openTransactions(snapshot)
  return known.filter(([xid]) => !stillOpen.has(xid)).map(([, id]) => BigInt(id))
}

function openTransactions(snapshot: string): ReadonlySet<string> {
  const [, , open = ""] = snapshot.split(":")
  return new Set(open === "" ? [] : open.split(","))
}

function least(ids: readonly bigint[]): bigint {
  return ids.reduce((found, id) => (id < found ? id : found))
}
