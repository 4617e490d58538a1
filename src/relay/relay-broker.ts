import type { EventBroker } from "../brokers/broker"
import type { BrokerOptions } from "../publishing/route"

/** A broker that a relay delivers to. */
export interface RelayBroker {
  readonly name: string
  readonly broker: EventBroker
  readonly options: BrokerOptions
}
