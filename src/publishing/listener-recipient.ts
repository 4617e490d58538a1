import type { OutgoingEvent } from "../events/change-event"
import type { Clock } from "./clock"
import { readFailure } from "./failure"
import { guardedCall } from "./guarded-call"
import type { Recipient } from "./recipient"

/** Hears of an event in this process, after its transaction committed. Awaited before it gets the next one. */
export type EventListener = (event: OutgoingEvent) => unknown

export interface ListenerRecipientOptions {
  readonly pattern: string
  /** How long a listener may take over one event, in milliseconds, before it gets the next. */
  readonly timeoutMs: number
  readonly clock: Clock
}

/** A listener behind a guard: what it throws is reported and its own affair. */
export function listenerRecipient(
  listener: EventListener,
  { pattern, timeoutMs, clock }: ListenerRecipientOptions,
): Recipient<OutgoingEvent> {
  const label = `listener "${pattern}"`
  const send = async ([event]: readonly OutgoingEvent[]) => {
    try {
      await guardedCall(() => listener(event as OutgoingEvent), { timeoutMs, clock })
      return [undefined]
    } catch (thrown) {
      // A listener's ECONNREFUSED is its own: no outage of ours to wait for.
      return [{ ...readFailure(thrown), isOutage: false, retryAfterMs: 0 }]
    }
  }
  // Each listener reads the event for itself: an object it changes must not be what a broker sends.
  return {
    label,
    about: label,
    failureCode: "LISTENER_FAILED",
    takesBatches: false,
    prepare: (event) => event.resolve(),
    send,
  }
}
