import type { EventBroker } from "../brokers/broker"
import { ChangeEventsError } from "../errors"
import { record } from "../formats/record"
import { registrationFaults } from "./broker-faults"
import { brokerRecipient } from "./broker-recipient"
import type { BrokerStatus } from "./broker-status"
import { closeBroker } from "./close-broker"
import { createDelivery, type DeliveryParts } from "./delivery"
import { deliveryOptions } from "./delivery-options"
import { createMessageCache } from "./message-cache"
import { compileRoute, type BrokerOptions } from "./route"
import type { Subscription } from "./subscription"

interface Registration extends Subscription {
  readonly name: string
  readonly broker: EventBroker
}

/** The brokers by name, each with its route and its delivery. What they send is read and formatted once for all of them. */
export class BrokerRegistry {
  private readonly registrations = new Map<string, Registration>()
  private readonly messages = createMessageCache(() => this.registrations.size > 1)
  private readonly recordFormat = record()

  constructor(private readonly parts: DeliveryParts) {}

  get subscriptions(): readonly Registration[] {
    return [...this.registrations.values()]
  }

  /** @throws ChangeEventsError BROKER_INVALID, BROKER_NAME_TAKEN */
  register(name: string, broker: EventBroker, options: BrokerOptions = {}): void {
    checkRegistration(name, broker, options)
    if (this.registrations.has(name)) {
      const message = `a broker named ${name} is already registered: deregister it first, or take another name`
      throw new ChangeEventsError("BROKER_NAME_TAKEN", message, { details: { broker: name } })
    }
    this.registrations.set(name, this.registration(name, broker, options))
  }

  /** @throws ChangeEventsError BROKER_UNKNOWN */
  async deregister(name: string, timeoutMs: number): Promise<void> {
    const registration = this.registrations.get(name)
    if (registration === undefined) {
      const registered = [...this.registrations.keys()]
      const message = `no broker named ${name} is registered, there is ${registered.join(", ") || "none"}`
      throw new ChangeEventsError("BROKER_UNKNOWN", message, { details: { broker: name, registered } })
    }
    this.registrations.delete(name)
    await registration.delivery.stop(timeoutMs)
    const isUsedElsewhere = this.subscriptions.some(({ broker }) => broker === registration.broker)
    if (!isUsedElsewhere) await this.close(registration, timeoutMs)
  }

  /** Closes every broker once, all at the same time, and forgets the messages. */
  async closeAll(timeoutMs: number): Promise<void> {
    const perBroker = new Map(this.subscriptions.map((registration) => [registration.broker, registration]))
    await Promise.all([...perBroker.values()].map((registration) => this.close(registration, timeoutMs)))
    this.messages.clear()
  }

  status(): Record<string, BrokerStatus> {
    return Object.fromEntries(this.subscriptions.map(({ name, delivery }) => [name, delivery.status()]))
  }

  private registration(name: string, broker: EventBroker, given: BrokerOptions): Registration {
    const options = deliveryOptions(given.delivery, this.parts.options)
    const { matches, format } = compileRoute(given, this.recordFormat)
    const { publishTimeoutMs } = options
    const { clock } = this.parts
    const recipient = brokerRecipient(broker, { name, format, messages: this.messages, publishTimeoutMs, clock })
    return { name, broker, matches, delivery: createDelivery(recipient, { ...this.parts, options }) }
  }

  private close({ name, broker }: Registration, timeoutMs: number): Promise<void> {
    const { clock, report } = this.parts
    return closeBroker(broker, { name, timeoutMs, clock, report })
  }
}

function checkRegistration(name: unknown, broker: unknown, options: unknown): void {
  const isName = typeof name === "string" && name !== ""
  const faults = registrationFaults(isName ? `brokers.${name}` : "broker", broker, options)
  if (!isName) faults.unshift("the name of a broker must be a string that is not empty")
  if (faults.length === 0) return
  throw new ChangeEventsError("BROKER_INVALID", faults.join("; "), { details: { faults } })
}
