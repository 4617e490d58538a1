import { ChangeEventsError } from "../errors"
import { isObject, nameOf, type OptionCheck } from "../runtime/option-checks"
import { unknownKeyFaults } from "../runtime/option-faults"

export interface OpenTelemetryOptions {
  /** What metrics are made with, such as a MeterProvider of `@opentelemetry/sdk-metrics`. Default: the global one, as it is when you call. */
  readonly meterProvider?: { getMeter(name: string): unknown }
  /** What spans are made with. Default: the global one. */
  readonly tracerProvider?: { getTracer(name: string): unknown }
  /** What a broker's `messaging.system` is, by its name: `() => "kafka"`. Default: `change_events`. */
  readonly system?: (broker: string) => string
}

const providing =
  (method: string): OptionCheck =>
  (value, name) =>
    isObject(value) && typeof value[method] === "function" ? [] : [`${name} must have the function ${method}`]

const checks: Readonly<Record<keyof OpenTelemetryOptions, OptionCheck>> = {
  meterProvider: providing("getMeter"),
  tracerProvider: providing("getTracer"),
  system: (value, name) => (typeof value === "function" ? [] : [`${name} must be a function, got ${nameOf(value)}`]),
}

/** @throws ChangeEventsError OPTIONS_INVALID, with every fault */
export function checkOpenTelemetryOptions(options: OpenTelemetryOptions): void {
  const given = Object.entries(checks).filter(([name]) => options[name as keyof OpenTelemetryOptions] !== undefined)
  const faults = [
    ...unknownKeyFaults(options, Object.keys(checks)),
    ...given.flatMap(([name, check]) => check(options[name as keyof OpenTelemetryOptions], name)),
  ]
  if (faults.length === 0) return
  const message = `instrumentChangeEvents() was given wrong options: ${faults.join("; ")}`
  throw new ChangeEventsError("OPTIONS_INVALID", message, { details: { faults } })
}
