import { context, trace, type Attributes } from "@opentelemetry/api"
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks"
import {
  AggregationTemporality,
  type DataPoint,
  type Histogram,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from "@opentelemetry/sdk-metrics"
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
  type ReadableSpan,
} from "@opentelemetry/sdk-trace-base"

/** The value of a metric with its attributes: a number, or of a histogram how many it has counted. */
export interface MeasuredPoint {
  readonly value: number
  readonly attributes: Attributes
}

/** OpenTelemetry's own SDK, as an application starts it, with what it would export kept in memory. */
export interface TestTelemetry {
  /** For `instrumentChangeEvents`. */
  readonly options: { readonly meterProvider: MeterProvider; readonly tracerProvider: BasicTracerProvider }
  /** Runs the work in a span, and gives that span's ids. */
  inSpan(name: string, work: () => Promise<unknown>): Promise<{ readonly traceId: string; readonly spanId: string }>
  /** Ended spans, oldest first. */
  spans(): readonly ReadableSpan[]
  /** The points of a metric, collected now. */
  points(metric: string): Promise<readonly MeasuredPoint[]>
  stop(): Promise<void>
}

export function startTelemetry(): TestTelemetry {
  const ended = new InMemorySpanExporter()
  const measured = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
  const reader = new PeriodicExportingMetricReader({ exporter: measured, exportIntervalMillis: 3_600_000 })
  const meterProvider = new MeterProvider({ readers: [reader] })
  const tracerProvider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(ended)] })
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  const tracer = tracerProvider.getTracer("test")

  return {
    options: { meterProvider, tracerProvider },
    async inSpan(name, work) {
      const span = tracer.startSpan(name)
      await context.with(trace.setSpan(context.active(), span), work)
      span.end()
      const { traceId, spanId } = span.spanContext()
      return { traceId, spanId }
    },
    spans: () => ended.getFinishedSpans(),
    async points(metric) {
      measured.reset()
      await reader.forceFlush()
      const metrics = measured
        .getMetrics()
        .flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((scope) => scope.metrics))
      const points = metrics
        .filter(({ descriptor }) => descriptor.name === metric)
        .flatMap(({ dataPoints }) => dataPoints as readonly DataPoint<number | Histogram>[])
      return points.map(({ value, attributes }) => ({
        value: typeof value === "number" ? value : value.count,
        attributes,
      }))
    },
    async stop() {
      context.disable()
      await Promise.all([meterProvider.shutdown(), tracerProvider.shutdown()])
    },
  }
}
