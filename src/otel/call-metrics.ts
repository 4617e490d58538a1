import type { Meter } from "@opentelemetry/api"
import type { PublishedMessage } from "../runtime/diagnostics-messages"
import { callAttributes, commonTopic, topicAttributes, type SystemOf } from "./call-attributes"

/** As the semantic conventions advise for `messaging.client.operation.duration`. */
const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]

/** Counts and times the calls of brokers, by the semantic conventions for messaging. `code` is what they failed with. */
export function callMetrics(meter: Meter, system: SystemOf): (call: PublishedMessage, code?: string) => void {
  const sent = meter.createCounter("messaging.client.sent.messages", {
    unit: "{message}",
    description: "Events that were sent to a broker, also those it did not accept, which have an error.type.",
  })
  const duration = meter.createHistogram("messaging.client.operation.duration", {
    unit: "s",
    description: "How long calls of a broker take.",
    advice: { explicitBucketBoundaries: SECONDS },
  })
  return (call, code) => {
    const attributes = callAttributes(call, system, code)
    for (const [topic, count] of topicCounts(call)) sent.add(count, { ...attributes, ...topicAttributes(topic) })
    duration.record(call.durationMs / 1_000, { ...attributes, ...topicAttributes(commonTopic(call.events)) })
  }
}

function topicCounts({ events }: PublishedMessage): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const { topic } of events) counts.set(topic, (counts.get(topic) ?? 0) + 1)
  return counts
}
