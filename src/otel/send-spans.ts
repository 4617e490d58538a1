import type { Attributes, Tracer } from "@opentelemetry/api"
import type { ObservedEvent, PublishedMessage } from "../runtime/diagnostics-messages"
import type { Api } from "./api"
import { callAttributes, commonTopic, topicAttributes, type SystemOf } from "./call-attributes"
import { remoteSpanContext } from "./span-traceparent"

export interface SendSpansOptions {
  readonly api: Api
  readonly tracer: Tracer
  readonly system: SystemOf
}

/**
 * For a call that is over, a span in each trace whose events it carried, under the span that made the write. Events of no trace make none: a
 * trace of their own would tell nothing.
 */
export function tellSpans(
  { api, tracer, system }: SendSpansOptions,
  call: PublishedMessage,
  code: string | undefined = undefined,
): void {
  const endTime = Date.now()
  const startTime = endTime - call.durationMs
  for (const [traceparent, events] of byTrace(call.events)) {
    const topic = commonTopic(events)
    const attributes = { ...callAttributes(call, system, code), ...eventAttributes(events), ...topicAttributes(topic) }
    const parent = api.trace.setSpanContext(api.ROOT_CONTEXT, remoteSpanContext(traceparent))
    const name = topic === undefined ? "send" : `send ${topic}`
    const span = tracer.startSpan(name, { kind: api.SpanKind.PRODUCER, startTime, attributes }, parent)
    if (code !== undefined) span.setStatus({ code: api.SpanStatusCode.ERROR, message: code })
    span.end(endTime)
  }
}

function byTrace(events: readonly ObservedEvent[]): ReadonlyMap<string, readonly ObservedEvent[]> {
  const traces = new Map<string, ObservedEvent[]>()
  for (const event of events) {
    if (event.traceparent === undefined) continue
    const known = traces.get(event.traceparent)
    if (known) known.push(event)
    else traces.set(event.traceparent, [event])
  }
  return traces
}

function eventAttributes(events: readonly ObservedEvent[]): Attributes {
  const [event] = events
  return events.length === 1
    ? { "messaging.message.id": event?.id }
    : { "messaging.batch.message_count": events.length }
}
