export { instrumentChangeEvents, type InstrumentedChangeEvents } from "./instrument-change-events"
export type { OpenTelemetryOptions } from "./open-telemetry-options"
