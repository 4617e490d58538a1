import type { Attributes } from "@opentelemetry/api"
import type { ObservedEvent, PublishedMessage } from "../runtime/diagnostics-messages"

export type SystemOf = (broker: string) => string

/** What of a call is the same for all its events, by the semantic conventions for messaging. `code` is what it failed with. */
export function callAttributes(call: PublishedMessage, system: SystemOf, code: string | undefined): Attributes {
  return {
    "messaging.system": system(call.broker),
    "messaging.operation.name": "send",
    "messaging.operation.type": "send",
    "change_events.broker": call.broker,
    "change_events.delivery": call.delivery,
    ...(code !== undefined && { "error.type": code }),
  }
}

/** The topic, if the events have one in common. */
export function commonTopic(events: readonly ObservedEvent[]): string | undefined {
  const topic = events[0]?.topic
  return events.every((event) => event.topic === topic) ? topic : undefined
}

export function topicAttributes(topic: string | undefined): Attributes {
  return topic === undefined ? {} : { "messaging.destination.name": topic }
}
