import type { OutgoingEvent } from "../events/change-event"
import type { EventMessage } from "../events/message"
import type { PendingEvent } from "../events/sink"
import type { EventFormat } from "../formats/format"

/** Brokers that keep pace are within a few batches of one another; one that does not formats for itself. */
const MAX_EVENTS = 1_000
const MAX_BYTES = 8 * 1024 * 1024

interface CachedEvent {
  readonly outgoing: OutgoingEvent | undefined
  readonly messages: Map<EventFormat, EventMessage | undefined>
}

/** Reads each event once and formats it once a format, however many brokers want it, while it is among the latest. */
export interface MessageCache {
  /**
   * The message, or undefined when there is none to send.
   *
   * @throws whatever the event or the format throws; TypeError when the format gives no message
   */
  messageFor(event: PendingEvent, format: EventFormat): EventMessage | undefined
  clear(): void
}

/**
 * Holds the last 1,000 events, and no more than 8 MiB as the events estimate themselves; nothing while `isShared` says that nobody else
 * would ask: what is held for a moment is the dearest garbage to collect (a burst of 100,000 events took twice the memory).
 */
export function createMessageCache(isShared: () => boolean = () => true): MessageCache {
  const cached = new Map<PendingEvent, CachedEvent>()
  let bytes = 0

  const forget = (event: PendingEvent): void => {
    cached.delete(event)
    bytes -= event.sizeBytes
  }
  const remember = (event: PendingEvent): CachedEvent => {
    const entry: CachedEvent = { outgoing: event.resolve(), messages: new Map() }
    if (!isShared()) return entry
    cached.set(event, entry)
    bytes += event.sizeBytes
    for (const oldest of cached.keys()) {
      if (cached.size <= MAX_EVENTS && bytes <= MAX_BYTES) break
      forget(oldest)
    }
    return entry
  }
  const clear = (): void => {
    cached.clear()
    bytes = 0
  }
  return { messageFor: (event, format) => messageOf(cached.get(event) ?? remember(event), format), clear }
}

function messageOf(entry: CachedEvent, format: EventFormat): EventMessage | undefined {
  if (entry.outgoing === undefined) return undefined
  if (entry.messages.has(format)) return entry.messages.get(format)
  const message = formatted(entry.outgoing, format)
  entry.messages.set(format, message)
  return message
}

function formatted(event: OutgoingEvent, format: EventFormat): EventMessage | undefined {
  const message: unknown = format(event)
  if (message === undefined) return undefined
  if (!isMessage(message)) {
    // A format written with `async` gives a promise: it is refused, and its rejection must not end the process.
    void Promise.resolve(message).catch(() => undefined)
    throw new TypeError("the format gave no message: it must return { id, topic, key, …, body } or undefined")
  }
  // Every broker with this format gets this very object: one that changes it must not change what the others send.
  Object.freeze(message.headers)
  return Object.freeze(message)
}

function isMessage(value: unknown): value is EventMessage {
  return typeof value === "object" && value !== null && typeof (value as { body?: unknown }).body === "string"
}
