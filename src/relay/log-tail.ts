import { setTimeout as pause } from "node:timers/promises"
import type { OutgoingEvent } from "../events/change-event"
import type { ChangeLogTables } from "../outbox/change-log-tables"
import { loggedEvents, type LogReader } from "../outbox/logged-events"
import { BEGINNING, type CursorPosition } from "./cursor-position"
import type { RelayConnection } from "./relay-connection"
import { WindowReader } from "./window-reader"

export interface LogTailOptions {
  readonly connection: RelayConnection
  readonly tables: ChangeLogTables
  readonly reader: LogReader
  /** From when, or from which row of the log on. Default: what is committed from now on. */
  readonly since?: Date | bigint | undefined
  readonly signal: AbortSignal
  /** Between two looks where nothing was, in milliseconds. Default 250. */
  readonly pollMs?: number
}

/** A row of the log without events that can be read. */
export interface UnreadableRow {
  readonly error: Error
}

/**
 * The events of the log, in the order in which a broker gets them, until the signal. Nobody's cursor moves. Resolves when the place to
 * begin is known: what is committed from then on is among them.
 *
 * @throws what the database fails with
 */
export async function tailLog(options: LogTailOptions): Promise<AsyncGenerator<OutgoingEvent | UnreadableRow>> {
  const { connection, tables } = options
  const start = await startOf(options)
  return eventsOf(new WindowReader(start, { connection, tables, shard: 0, shards: 1, pageRows: 500 }), options)
}

async function* eventsOf(
  window: WindowReader,
  { reader, signal, pollMs = 250 }: LogTailOptions,
): AsyncGenerator<OutgoingEvent | UnreadableRow> {
  while (!signal.aborted) {
    const { rows, isIdle } = await window.next()
    for (const row of rows) yield* readable(() => loggedEvents(row, reader))
    if (isIdle) await pause(pollMs, undefined, { signal }).catch(() => undefined)
  }
}

function readable(read: () => readonly OutgoingEvent[]): readonly (OutgoingEvent | UnreadableRow)[] {
  try {
    return read()
  } catch (thrown) {
    return [{ error: thrown as Error }]
  }
}

async function startOf({ connection, tables, since }: LogTailOptions): Promise<CursorPosition> {
  if (since !== undefined) return { ...BEGINNING, doneId: await idBefore(connection, tables, since) }
  const reader = new WindowReader(BEGINNING, { connection, tables, shard: 0, shards: 1, pageRows: 1 })
  return reader.now()
}

async function idBefore(connection: RelayConnection, { log }: ChangeLogTables, since: Date | bigint): Promise<string> {
  if (typeof since === "bigint") return String(since - 1n)
  const [row] = await connection.query(
    `SELECT coalesce((SELECT id - 1 FROM ${log} WHERE written_at >= $1 ORDER BY id LIMIT 1), (SELECT max(id) FROM ${log}), 0)::text AS id`,
    [since],
  )
  return (row as { id: string }).id
}
