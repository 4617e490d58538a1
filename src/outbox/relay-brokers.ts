import type { EventBroker } from "../brokers/broker"
import { ChangeEventsError } from "../errors"
import { registrationFaults } from "../publishing/broker-faults"
import { systemClock } from "../publishing/clock"
import { closeBroker } from "../publishing/close-broker"
import type { BrokerOptions } from "../publishing/route"
import type { Report } from "../runtime/report"

export interface RegisteredBroker {
  readonly name: string
  readonly broker: EventBroker
  readonly options: BrokerOptions
}

/** The brokers that a relay of this process delivers to. */
export class RelayBrokers {
  private readonly registered = new Map<string, RegisteredBroker>()

  constructor(private readonly report: Report) {}

  all(): readonly RegisteredBroker[] {
    return [...this.registered.values()]
  }

  /** @throws ChangeEventsError BROKER_INVALID, BROKER_NAME_TAKEN */
  register(name: string, broker: EventBroker, options: BrokerOptions = {}): void {
    const faults = registrationFaults(`brokers.${name}`, broker, options)
    if (typeof name !== "string" || name === "")
      faults.unshift("the name of a broker must be a string that is not empty")
    if (faults.length > 0) throw new ChangeEventsError("BROKER_INVALID", faults.join("; "), { details: { faults } })
    if (this.registered.has(name)) {
      const message = `a broker named ${name} is already registered: deregister it first, or take another name`
      throw new ChangeEventsError("BROKER_NAME_TAKEN", message, { details: { broker: name } })
    }
    this.registered.set(name, { name, broker, options })
  }

  /** Forgets the broker and closes it, unless it is registered under another name too. @throws ChangeEventsError BROKER_UNKNOWN */
  async deregister(name: string, timeoutMs: number): Promise<void> {
    const known = this.registered.get(name)
    if (!known) {
      const registered = [...this.registered.keys()]
      const message = `no broker named ${name} is registered, there is ${registered.join(", ") || "none"}`
      throw new ChangeEventsError("BROKER_UNKNOWN", message, { details: { broker: name, registered } })
    }
    this.registered.delete(name)
    if (!this.all().some(({ broker }) => broker === known.broker)) await this.close(known, timeoutMs)
  }

  async closeAll(timeoutMs: number): Promise<void> {
    const perBroker = new Map(this.all().map((known) => [known.broker, known]))
    await Promise.all([...perBroker.values()].map((known) => this.close(known, timeoutMs)))
  }

  private close({ name, broker }: RegisteredBroker, timeoutMs: number): Promise<void> {
    return closeBroker(broker, { name, timeoutMs, clock: systemClock, report: this.report })
  }
}
