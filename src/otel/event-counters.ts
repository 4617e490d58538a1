import type { Meter } from "@opentelemetry/api"
import type { DiagnosticsMessages, DiagnosticsName } from "../runtime/diagnostics-messages"

/** What hears the messages of the channels that are counted. */
export type EventCounters = {
  readonly [Name in Extract<DiagnosticsName, "committed" | "failed" | "dropped" | "dead-letter" | "uncaptured">]: (
    message: DiagnosticsMessages[Name],
  ) => void
}

/** Counters of our own, for which the semantic conventions have no name. */
export function eventCounters(meter: Meter): EventCounters {
  const counter = (name: string, unit: string, description: string) =>
    meter.createCounter(`change_events.${name}`, { unit, description })
  const committed = counter("committed", "{event}", "Events of committed transactions.")
  const failed = counter("failed", "{event}", "Events in calls that a broker refused, or could not be reached for.")
  const dropped = counter("dropped", "{event}", "Events that a broker will not get, with direct delivery.")
  const deadLetters = counter("dead_letters", "{event}", "Events that a relay has put aside.")
  const uncaptured = counter("uncaptured", "{write}", "Writes that were noticed and made no events.")
  const broker = (name: string) => ({ "change_events.broker": name })
  return {
    committed: ({ count, serverRows, delivery }) =>
      committed.add(count + serverRows, { "change_events.delivery": delivery }),
    failed: ({ count, broker: name, code, willRetry }) =>
      failed.add(count, { ...broker(name), "error.type": code, "change_events.will_retry": willRetry }),
    dropped: ({ count, broker: name, reason }) =>
      dropped.add(count, { ...broker(name), "change_events.reason": reason }),
    "dead-letter": ({ broker: name, state, code }) =>
      deadLetters.add(1, { ...broker(name), "change_events.state": state, "error.type": code }),
    uncaptured: ({ table }) => uncaptured.add(1, { "db.collection.name": table }),
  }
}
