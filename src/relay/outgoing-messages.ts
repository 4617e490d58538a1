import { ChangeEventsError } from "../errors"
import type { EventMessage } from "../events/message"
import type { TopicMatcher } from "../events/topic-pattern"
import { eventHeaders } from "../formats/event-headers"
import type { EventFormat } from "../formats/format"
import type { OutgoingEvent } from "../events/change-event"
import { wholeRow, type RequeuedLetter } from "./letter-store"
import { loggedEvents, type LogReader } from "../outbox/logged-events"
import type { EventEnvelope, LogRow } from "../events/log-row"
import { createMessageCache } from "../publishing/message-cache"

/** What a row of the log is to one broker. */
export interface OutgoingRow {
  readonly rowId: bigint
  readonly eventId: string
  readonly topic: string | undefined
  /** As the log has it, where control characters are escaped: shards and dead letters go by it. */
  readonly key: string
  /** Undefined when it cannot be read or formatted. */
  readonly message: EventMessage | undefined
  readonly fault: Error | undefined
}

export interface MessageOptions {
  readonly matches: TopicMatcher
  readonly format: EventFormat
  /** Whether that is the format `record`, whose bodies the log holds ready. */
  readonly isRecord: boolean
  readonly reader: LogReader
}

/** For its check of what a foreign format gives: each event is read once here, so nothing is kept. */
const messages = createMessageCache(() => false)

const RECORD_TYPE = "application/json"

/** What of the rows the broker is to get: of each nothing, one message, or several of a row that the server wrote. Never throws. */
export function outgoingRows(rows: readonly LogRow[], options: MessageOptions): readonly OutgoingRow[] {
  return rows.flatMap((row) => outgoing(row, options) ?? [])
}

function outgoing(row: LogRow, options: MessageOptions): OutgoingRow | readonly OutgoingRow[] | undefined {
  try {
    if (row.event !== null && row.record !== null && options.isRecord) return readyRecord(row, options)
    return loggedEvents(row, options.reader).flatMap((event) => formatted(row, event, options) ?? [])
  } catch (thrown) {
    return unreadable(row, thrown)
  }
}

/**
 * What of a dead letter's row is to be sent again. Nothing if the broker's topics leave it out by now, or the whole row is meant and nothing
 * differs in it after all. Never throws: what cannot be read, or found in its row, is there without a message.
 */
export function outgoingLetter(letter: RequeuedLetter, options: MessageOptions): readonly OutgoingRow[] {
  const { row, eventId } = letter
  if (row.event !== null || eventId === wholeRow(row.id)) return outgoingRows([row], options)
  try {
    const outgoing = formatted(row, eventOf(letter, loggedEvents(row, options.reader)), options)
    return outgoing ? [outgoing] : []
  } catch (thrown) {
    return [unreadable(row, thrown)]
  }
}

/** By its topic where the id is not known: it was made of the identity of the database that the log was copied from. */
function eventOf({ eventId, topic }: RequeuedLetter, events: readonly OutgoingEvent[]): OutgoingEvent {
  const known = events.find(({ id }) => id === eventId)
  if (known) return known
  const [alike, another] = events.filter((event) => event.topic === topic)
  if (!alike || another) throw new Error("its row holds it no longer, as it is read now")
  return alike
}

/** The body goes out as it was written: reading it again would cost more than everything else. */
function readyRecord(
  { id: rowId, key: logKey, event, record }: LogRow,
  { matches }: MessageOptions,
): OutgoingRow | undefined {
  const envelope = JSON.parse(event as string) as EventEnvelope
  const { id, topic, key, fault } = envelope
  if (fault !== undefined) throw new Error(fault)
  const occurredAt = new Date(envelope.occurredAt)
  const isEvent = [id, topic, key].every((text) => typeof text === "string") && !Number.isNaN(occurredAt.getTime())
  if (!isEvent) throw new Error("it is no event")
  if (!matches(topic)) return undefined
  const headers = eventHeaders(envelope as unknown as OutgoingEvent, RECORD_TYPE)
  return new ReadyRow(rowId, logKey, new ReadyRecord(envelope, occurredAt, headers, record as string))
}

/** These two are classes for the sake of speed (docs/decisions/0007). */
class ReadyRow implements OutgoingRow {
  readonly eventId: string
  readonly topic: string
  readonly fault = undefined

  constructor(
    readonly rowId: bigint,
    readonly key: string,
    readonly message: EventMessage,
  ) {
    this.eventId = message.id
    this.topic = message.topic
  }
}

class ReadyRecord implements EventMessage {
  readonly id: string
  readonly topic: string
  readonly key: string
  readonly contentType = RECORD_TYPE

  constructor(
    { id, topic, key }: EventEnvelope,
    readonly occurredAt: Date,
    readonly headers: Readonly<Record<string, string>>,
    readonly body: string,
  ) {
    this.id = id
    this.topic = topic
    this.key = key
  }
}

function formatted(row: LogRow, event: OutgoingEvent, { matches, format }: MessageOptions): OutgoingRow | undefined {
  const { id, topic } = event
  if (!matches(topic)) return undefined
  const place = { rowId: row.id, eventId: id, topic, key: row.key }
  try {
    const message = messages.messageFor({ id, topic, sizeBytes: 0, resolve: () => event }, format)
    return message && { ...place, message, fault: undefined }
  } catch (thrown) {
    return { ...place, message: undefined, fault: asFault(thrown) }
  }
}

/** Whoever wanted it is not known, so everybody's dead letters get it. */
function unreadable(row: LogRow, thrown: unknown): OutgoingRow {
  return {
    rowId: row.id,
    eventId: wholeRow(row.id),
    topic: undefined,
    key: row.key,
    message: undefined,
    fault: asFault(thrown),
  }
}

function asFault(thrown: unknown): ChangeEventsError {
  if (thrown instanceof ChangeEventsError) return thrown
  const message = thrown instanceof Error ? thrown.message : String(thrown)
  return new ChangeEventsError("EVENT_UNSERIALIZABLE", `the event cannot be sent: ${message}`, { cause: thrown })
}
