import type { BatchObservableResult, Meter } from "@opentelemetry/api"
import type { ChangeEventsStatus } from "../change-events"

/** Gauges of what `changes.status()` says of each broker, asked when metrics are collected. Gives a function that ends it. */
export function statusGauges(meter: Meter, status: () => ChangeEventsStatus): () => void {
  const lag = meter.createObservableGauge("change_events.lag", {
    unit: "s",
    description: "How old the oldest event is that a broker has not had, as far as this process knows.",
  })
  const queued = meter.createObservableGauge("change_events.queued", {
    unit: "{event}",
    description: "Events that wait in this process for a broker.",
  })
  const led = meter.createObservableGauge("change_events.led_shards", {
    unit: "{shard}",
    description: "Shards of a broker that relays of this process lead.",
  })
  const observe = (result: BatchObservableResult): void => {
    for (const [name, broker] of Object.entries(status().brokers)) {
      const attributes = { "change_events.broker": name }
      if (broker.lagMs !== null) result.observe(lag, broker.lagMs / 1_000, attributes)
      result.observe(queued, broker.queued, attributes)
      if (broker.shards) result.observe(led, broker.shards.led.length, attributes)
    }
  }
  const gauges = [lag, queued, led]
  meter.addBatchObservableCallback(observe, gauges)
  return () => meter.removeBatchObservableCallback(observe, gauges)
}
