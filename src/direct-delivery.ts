import type { EventDelivery } from "./event-delivery"
import { outboxOff } from "./outbox-off"
import { createDirectSink } from "./publishing/direct-sink"
import type { DeliveryOptions } from "./publishing/delivery-options"
import type { Report } from "./runtime/report"

/** From memory, after the commit: at most once across a crash. */
export function directDelivery(delivery: Partial<DeliveryOptions>, report: Report): EventDelivery {
  const sink = createDirectSink({ report, delivery })
  return {
    sink,
    publish: async (event) => sink.accept([event]),
    registerBroker: (name, broker, options) => sink.registerBroker(name, broker, options),
    deregisterBroker: (name, options) => sink.deregisterBroker(name, options),
    on: (pattern, listener) => sink.on(pattern, listener),
    flush: (options) => sink.flush(options),
    close: (options) => sink.close(options),
    status: () => sink.status(),
    startRelay: async () => {
      throw outboxOff("startRelay()")
    },
  }
}
