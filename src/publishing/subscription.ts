import type { PendingEvent } from "../events/sink"
import type { TopicMatcher } from "../events/topic-pattern"
import type { Delivery } from "./delivery"

/** Somebody who gets the events whose topic matches. */
export interface Subscription {
  readonly matches: TopicMatcher
  readonly delivery: Delivery
}

/** Queues the events that match. With none, filtering them was all there was to do. */
export function deliverMatching({ matches, delivery }: Subscription, events: readonly PendingEvent[]): void {
  const wanted = events.filter(({ topic }) => matches(topic))
  if (wanted.length > 0) delivery.accept(wanted)
}
