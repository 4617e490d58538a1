import type { EventBroker } from "../brokers/broker"
import { createTally, type Tally } from "../publishing/broker-status"
import { systemClock } from "../publishing/clock"
import { NamedBrokers, type NamedBroker } from "../publishing/named-brokers"
import type { BrokerOptions } from "../publishing/route"
import type { Report } from "../runtime/report"

/** A broker that a relay delivers to. */
export interface RelayBroker extends NamedBroker {
  readonly options: BrokerOptions
  /** What the relays of this process have come to with it. */
  readonly tally: Tally
}

/** The brokers that the relays of this process deliver to. */
export class RelayBrokers {
  private readonly brokers: NamedBrokers<RelayBroker>

  constructor(report: Report) {
    this.brokers = new NamedBrokers({ clock: systemClock, report })
  }

  all(): readonly RelayBroker[] {
    return this.brokers.all()
  }

  /** @throws ChangeEventsError BROKER_INVALID, BROKER_NAME_TAKEN */
  register(name: string, broker: EventBroker, options: BrokerOptions = {}): void {
    this.brokers.check(name, broker, options)
    this.brokers.add({ name, broker, options, tally: createTally() })
  }

  /** Forgets the broker and closes it, unless it is registered under another name too. @throws ChangeEventsError BROKER_UNKNOWN */
  async deregister(name: string, timeoutMs: number): Promise<void> {
    await this.brokers.closeUnused(this.brokers.remove(name), timeoutMs)
  }

  closeAll(timeoutMs: number): Promise<void> {
    return this.brokers.closeAll(timeoutMs)
  }
}
