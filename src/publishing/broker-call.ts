import type { EventMessage } from "../events/message"
import { diagnostics } from "../runtime/diagnostics"
import type { FailedMessage, ObservedEvent } from "../runtime/diagnostics-messages"
import type { Failure } from "./failure"

/** Which broker is called, and by whom. */
export type CallPlace = Pick<FailedMessage, "broker" | "delivery" | "shard">

/** What a refusal means for the message. */
export type Refusal = Pick<FailedMessage, "attempt" | "willRetry" | "isOutage">

interface RefusedEvents extends Refusal {
  readonly code: string
  readonly events: ObservedEvent[]
}

/** One call of a recipient, as whoever listens on the channels is told of it. */
export interface ObservedCall<Item> {
  /** The answer is here; how long it took is taken now. */
  answered(): void
  accepted(item: Item): void
  refused(item: Item, failure: Failure, refusal: Refusal): void
  /** Everything is noted. */
  tell(): void
}

/** Undefined while nobody listens: then a call costs nothing more. */
export function observedCall(place: CallPlace): ObservedCall<EventMessage> | undefined {
  const isHeard = diagnostics.published.hasSubscribers || diagnostics.failed.hasSubscribers
  return isHeard ? new BrokerCall(place) : undefined
}

class BrokerCall implements ObservedCall<EventMessage> {
  private readonly startedAt = performance.now()
  private durationMs = 0
  private readonly published: ObservedEvent[] = []
  private readonly failed = new Map<string, RefusedEvents>()

  constructor(private readonly place: CallPlace) {}

  answered(): void {
    this.durationMs = performance.now() - this.startedAt
  }

  accepted(message: EventMessage): void {
    this.published.push(observedEvent(message))
  }

  refused(message: EventMessage, { code = "PUBLISH_FAILED" }: Failure, refusal: Refusal): void {
    const key = [code, refusal.attempt, refusal.willRetry, refusal.isOutage].join()
    const known = this.failed.get(key)
    if (known) known.events.push(observedEvent(message))
    else this.failed.set(key, { code, ...refusal, events: [observedEvent(message)] })
  }

  tell(): void {
    const { place, durationMs, published: events } = this
    if (events.length > 0) diagnostics.published.publish({ ...place, count: events.length, events, durationMs })
    for (const refused of this.failed.values()) {
      diagnostics.failed.publish({ ...place, count: refused.events.length, durationMs, ...refused })
    }
  }
}

/** Only with a header that says so: what a format of the user's gives may be anything. */
export function observedEvent({ id, topic, headers }: EventMessage): ObservedEvent {
  const traceparent: unknown = (headers as EventMessage["headers"] | undefined)?.["traceparent"]
  return typeof traceparent === "string" ? { id, topic, traceparent } : { id, topic }
}
