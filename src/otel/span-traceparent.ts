import type { SpanContext } from "@opentelemetry/api"
import type { Api } from "./api"

/** The active span as a header `traceparent`; undefined when there is none. */
export function activeTraceparent(api: Api): string | undefined {
  const context = api.trace.getActiveSpan()?.spanContext()
  if (!context || !api.isSpanContextValid(context)) return undefined
  const flags = (context.traceFlags & 0xff).toString(16).padStart(2, "0")
  return `00-${context.traceId}-${context.spanId}-${flags}`
}

/** The span that a header `traceparent` names, as a parent in another process is named. The header is one of ours, and valid. */
export function remoteSpanContext(traceparent: string): SpanContext {
  const [, traceId = "", spanId = "", flags = "0"] = traceparent.split("-")
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true }
}
