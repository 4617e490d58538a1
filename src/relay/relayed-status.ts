import type { BrokerStatus, DeliveryState } from "../publishing/broker-status"
import type { CursorDeliveryStatus } from "./cursor-delivery-parts"
import type { RelayBroker } from "./relay-brokers"

/** How a broker does, as far as the relays of this process know, which is without asking the database. */
export function relayedStatus(
  { name, tally, options }: RelayBroker,
  cursors: readonly CursorDeliveryStatus[],
): BrokerStatus {
  const led = cursors.filter(({ broker, state }) => broker === name && state !== "stopped")
  const lags = led.flatMap(({ lagMs }) => (lagMs === null ? [] : [lagMs]))
  return {
    ...tally,
    state: stateOf(led),
    queued: sum(led.map(({ queued }) => queued)),
    queuedBytes: sum(led.map(({ queuedBytes }) => queuedBytes)),
    lagMs: lags.length === 0 ? null : Math.max(...lags),
    shards: { total: options.shards ?? 1, led: led.map(({ shard }) => shard).sort((a, b) => a - b) },
  }
}

/** Of several shards the one that does worst. */
function stateOf(led: readonly CursorDeliveryStatus[]): DeliveryState {
  if (led.length === 0) return "not-led"
  if (led.some(({ state }) => state === "waiting")) return "retrying"
  return led.some(({ state }) => state === "delivering") ? "delivering" : "idle"
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
