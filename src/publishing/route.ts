import { topicFilter, type TopicMatcher, type TopicPatterns } from "../events/topic-pattern"
import type { EventFormat } from "../formats/format"
import type { DeliveryOptions } from "./delivery-options"
import type { PoisonPolicy } from "./poison-policy"

/** What a broker gets, and how. */
export interface BrokerOptions {
  /** The topics it gets, as shell patterns. Default: all. */
  readonly topics?: TopicPatterns
  /** What its messages look like: `record`, or a format of the entry points `formats/*` or your own. Default `record`. */
  readonly format?: "record" | EventFormat
  /** Where this broker's delivery differs from the others'. */
  readonly delivery?: Partial<DeliveryOptions>
  /**
   * What becomes of a row's later events when the broker has refused one for good: they become dead letters with it, so that the order holds
   * when it is sent again ("hold-key", the default), or go on without it ("skip"). Only with the outbox.
   */
  readonly onPoison?: PoisonPolicy
  /** How many relays may share this broker's work, by key. Default 1. Range 1–64. Only with the outbox. */
  readonly shards?: number
}

/** An application that makes topics up (one an order, say) must not fill the memory with verdicts on them. */
const MAX_REMEMBERED_TOPICS = 1_000

/** The filter of the patterns, with the last verdicts remembered: an event costs a look into a map, not a match. */
export function rememberingFilter(patterns: TopicPatterns): TopicMatcher {
  const matches = topicFilter(patterns)
  const verdicts = new Map<string, boolean>()

  return (topic) => {
    const known = verdicts.get(topic)
    if (known !== undefined) return known
    const verdict = matches(topic)
    if (verdicts.size >= MAX_REMEMBERED_TOPICS) verdicts.clear()
    verdicts.set(topic, verdict)
    return verdict
  }
}

/** Which events go to a broker, and in which format. */
export interface Route {
  readonly matches: TopicMatcher
  readonly format: EventFormat
}

/** @param recordFormat one for all brokers, so that they share what it makes of an event */
export function compileRoute({ topics, format }: BrokerOptions, recordFormat: EventFormat): Route {
  const isRecord = format === undefined || format === "record"
  return { matches: rememberingFilter(topics ?? {}), format: isRecord ? recordFormat : format }
}
