import type { EventContext } from "../events/event-context"
import { sharedState } from "../runtime/shared-state"
import { validTraceparent } from "../runtime/traceparent"

/** Gives the W3C trace context (`traceparent`) of the work under way, if it is traced. Asked at every statement, so it must be cheap. */
export type TraceReader = () => string | undefined

/** Shared, because the tracing's entry point and the application's may be of two copies of this package. The last one that came is asked. */
const tracing = sharedState("tracing", () => ({ readers: [] as TraceReader[] }))

/** The same span and context give the same object again. */
const traced = new WeakMap<EventContext, EventContext>()

/** From now on a write's context has the trace that this reader gives, rather than the one that a request came with. Gives what ends it. */
export function traceWritesBy(reader: TraceReader): () => void {
  tracing.readers = [...tracing.readers, reader]
  return () => {
    tracing.readers = tracing.readers.filter((other) => other !== reader)
  }
}

/** The context with the trace of the work under way, where there is one. */
export function withActiveTrace(context: EventContext): EventContext {
  const traceparent = activeTraceparent()
  if (traceparent === undefined || traceparent === context.traceparent) return context
  const known = traced.get(context)
  if (known?.traceparent === traceparent) return known
  const made = Object.freeze({ ...context, traceparent })
  traced.set(context, made)
  return made
}

/** Never throws: it is asked within somebody's write. */
function activeTraceparent(): string | undefined {
  const reader = tracing.readers.at(-1)
  if (reader === undefined) return undefined
  try {
    return validTraceparent(reader())
  } catch {
    return undefined
  }
}
