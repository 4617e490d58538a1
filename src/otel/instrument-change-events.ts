import type { Meter, Tracer } from "@opentelemetry/api"
import type { ChangeEvents } from "../change-events"
import { traceWritesBy } from "../context/active-trace"
import type { DiagnosticsMessages, DiagnosticsName } from "../runtime/diagnostics-messages"
import { onDiagnostics } from "../runtime/on-diagnostics"
import { loadApi, type Api } from "./api"
import { callMetrics } from "./call-metrics"
import { eventCounters } from "./event-counters"
import { checkOpenTelemetryOptions, type OpenTelemetryOptions } from "./open-telemetry-options"
import { tellSpans } from "./send-spans"
import { activeTraceparent } from "./span-traceparent"
import { statusGauges } from "./status-gauges"

/** Whose status is asked for gauges. */
export type InstrumentedChangeEvents = Pick<ChangeEvents, "status">

const NAME = "typeorm-change-events"

/**
 * Metrics and traces by OpenTelemetry, made of what the diagnostics channels tell (docs/observability.md): of every `changeEvents()` in the
 * process. From now on an event is of the trace whose span is active at its write, and a call of a broker is a span in the traces of its events.
 * Call it once, when the SDK has started. With `changes` there are gauges of its brokers as well. Gives a function that ends it all.
 *
 * @throws ChangeEventsError BROKER_CLIENT_MISSING without `@opentelemetry/api`, OPTIONS_INVALID
 */
export function instrumentChangeEvents(
  changes?: InstrumentedChangeEvents,
  options: OpenTelemetryOptions = {},
): () => void {
  checkOpenTelemetryOptions(options)
  const api = loadApi()
  const meter = (options.meterProvider ?? api.metrics).getMeter(NAME) as Meter
  const tracer = (options.tracerProvider ?? api.trace).getTracer(NAME) as Tracer
  const system = options.system ?? (() => "change_events")
  const endings = [
    traceWritesBy(() => activeTraceparent(api)),
    ...countEvents(api, meter),
    ...followCalls(api, { call: callMetrics(meter, system), spans: { api, tracer, system } }),
    ...(changes ? [statusGauges(meter, () => changes.status())] : []),
  ]
  return () => endings.forEach((end) => end())
}

function countEvents(api: Api, meter: Meter): (() => void)[] {
  const counters = eventCounters(meter)
  return [
    listen(api, "committed", counters.committed),
    listen(api, "failed", counters.failed),
    listen(api, "dropped", counters.dropped),
    listen(api, "dead-letter", counters["dead-letter"]),
    listen(api, "uncaptured", counters.uncaptured),
  ]
}

interface CallFollowers {
  readonly call: ReturnType<typeof callMetrics>
  readonly spans: Parameters<typeof tellSpans>[0]
}

function followCalls(api: Api, { call, spans }: CallFollowers): (() => void)[] {
  return [
    listen(api, "published", (message) => {
      call(message)
      tellSpans(spans, message)
    }),
    listen(api, "failed", (message) => {
      call(message, message.code)
      // Of an outage, which tries the same events again and again, the metrics tell.
      if (!message.isOutage) tellSpans(spans, message, message.code)
    }),
  ]
}

/** What an exporter or a `system` throws goes to OpenTelemetry's own log: Node would make an uncaught exception of it. */
function listen<Name extends DiagnosticsName>(
  api: Api,
  name: Name,
  listener: (message: DiagnosticsMessages[Name]) => void,
): () => void {
  return onDiagnostics(name, (message) => {
    try {
      listener(message)
    } catch (thrown) {
      api.diag.error(`${NAME}: ${name} could not be told`, thrown)
    }
  })
}
