import { ChangeEventsError } from "../errors"
import type { ApplicationEvent, ChangeEvent, OutgoingEvent } from "../events/change-event"
import type { EventEnvelope, LogRow, StatementRowReader } from "../events/log-row"

/** What else must be known to read a row that the server wrote. */
export interface LogReader {
  readonly readStatementRow: StatementRowReader
  /** The database's identity. */
  readonly origin: string
}

/**
 * The events of a row of the log: one, or of a row that the server wrote none or several.
 *
 * @throws ChangeEventsError EVENT_UNSERIALIZABLE when the row holds none that can be read
 */
export function loggedEvents(row: LogRow, { readStatementRow, origin }: LogReader): readonly OutgoingEvent[] {
  try {
    return row.event === null ? readStatementRow(row, origin) : [loggedEvent(row.event, row.record)]
  } catch (cause) {
    const message = `row ${row.id} of the change log cannot be read`
    throw new ChangeEventsError("EVENT_UNSERIALIZABLE", message, { cause, details: { row: String(row.id) } })
  }
}

type RecordBody = Pick<ChangeEvent, "prechange" | "postchange" | "differences">

function loggedEvent(event: string, record: string | null): OutgoingEvent {
  const { occurredAt, fault, ...envelope } = JSON.parse(event) as EventEnvelope
  if (fault !== undefined) throw new Error(fault)
  if (record === null) throw new Error("there is no record")
  const common = { ...envelope, occurredAt: new Date(occurredAt) }
  if (Number.isNaN(common.occurredAt.getTime())) throw new Error("it does not say when")
  const body: unknown = JSON.parse(record)
  if (envelope.kind === "application") return { ...common, payload: body } as ApplicationEvent
  const { prechange, postchange, differences } = body as RecordBody
  return { ...common, prechange, postchange, differences } as ChangeEvent
}
