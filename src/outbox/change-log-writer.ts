import { asError, ChangeEventsError } from "../errors"
import type { OutgoingEvent } from "../events/change-event"
import type { PendingEvent } from "../events/sink"
import type { SqlStatement, TransactionalSink } from "../events/transactional-sink"
import { jsonBody } from "../formats/json-body"
import { recordBody } from "../formats/parts/record-body"
import type { Report } from "../runtime/report"
import { statementName } from "../runtime/statement-name"
import type { ChangeLogTables } from "./change-log-tables"
import type { EventEnvelope } from "../events/log-row"

// JSON escapes both, so neither can be part of an event.
const BETWEEN_EVENTS = "\u001e"
const BETWEEN_FIELDS = "\u001f"

/** Chunks of a thousand keep memory and the time of the commit flat (measured at 100,000 events a transaction). */
const MAX_EVENTS = 1_000

/** What an event's row holds: key, event and record. The record is null for an event that could not be written down. */
type LogValues = readonly [key: string, event: string, record: string | null]

/**
 * Writes events into the change log. One is an INSERT with its three values; several are one text with one parameter, whatever their
 * number: half the price of VALUES at 100 events, and prepared once.
 */
export function changeLogWriter({ log, statement }: ChangeLogTables, report: Report): TransactionalSink {
  const one = named(`INSERT INTO ${log} (key, event, record) VALUES ($1, $2, $3)`)
  const field = (position: number): string => `split_part(event, E'\\x1f', ${position})`
  const several = named(
    `INSERT INTO ${log} (key, event, record) ` +
      `SELECT ${field(1)}, ${field(2)}, nullif(${field(3)}, '') FROM string_to_table($1, E'\\x1e') AS event`,
  )
  const insert = (events: readonly PendingEvent[]): SqlStatement | undefined => {
    const rows = events.map((event) => logValues(event, report)).filter((values) => values !== undefined)
    const [first] = rows
    if (!first) return undefined
    const isOne = rows.length === 1
    const { name, text } = isOne ? one : several
    return { name, text, values: isOne ? first : [joined(rows)] }
  }
  return { serverSide: { log, statement }, maxEvents: MAX_EVENTS, insert }
}

function named(text: string): Pick<SqlStatement, "name" | "text"> {
  return { name: statementName(text), text }
}

function joined(rows: readonly LogValues[]): string {
  return rows.map((values) => values.join(BETWEEN_FIELDS)).join(BETWEEN_EVENTS)
}

/** Undefined when nothing differs after all, or the event stays in this process. */
function logValues(pending: PendingEvent, report: Report): LogValues | undefined {
  if (pending.isInternal) return undefined
  try {
    const event = pending.resolve()
    return event && [logKey(event.key), envelope(event), jsonBody(event.topic, recordBody(event))]
  } catch (thrown) {
    return unreadable(pending, thrown, report)
  }
}

/** The key as the log's column holds it: control characters, which Postgres or our separators forbid, as JSON escapes them. */
export function logKey(key: string): string {
  return /[\u0000-\u001f]/.test(key) ? JSON.stringify(key).slice(1, -1) : key
}

/** Written out, for to spread one object into another took six times as long as to make a text of it. */
function envelope(event: OutgoingEvent): string {
  const { id, kind, topic, key, context } = event
  const occurredAt = event.occurredAt.toISOString()
  if (kind === "application")
    return JSON.stringify({ id, kind, topic, key, occurredAt, context } satisfies EventEnvelope)
  const { action, transition, app, model } = event
  return JSON.stringify({ id, kind, topic, key, occurredAt, context, action, transition, app, model } as EventEnvelope)
}

/** Its row has no record, so that it becomes a dead letter: the change is not forgotten, and no other one waits for it. */
function unreadable({ id, topic }: PendingEvent, thrown: unknown, report: Report): LogValues {
  const cause = asError(thrown)
  const message = `event \`${topic}\` cannot be written down: ${cause.message}`
  report(new ChangeEventsError("EVENT_UNSERIALIZABLE", message, { cause, details: { about: topic, topic } }))
  const context = { userName: null, requestId: id, changeContext: "Unknown", changeContextDetail: "" } as const
  const occurredAt = new Date().toISOString()
  const fault: EventEnvelope = { id, kind: "change", topic, key: topic, occurredAt, context, fault: message }
  return [logKey(topic), JSON.stringify(fault), null]
}
