import type { EventBroker } from "../brokers/broker"
import { record } from "../formats/record"
import { brokerRecipient } from "./broker-recipient"
import type { BrokerStatus } from "./broker-status"
import { createDelivery, type DeliveryParts } from "./delivery"
import { deliveryOptions } from "./delivery-options"
import { createMessageCache } from "./message-cache"
import { NamedBrokers, type NamedBroker } from "./named-brokers"
import { compileRoute, type BrokerOptions } from "./route"
import type { Subscription } from "./subscription"

interface Registration extends Subscription, NamedBroker {}

/** The brokers by name, each with its route and its delivery. What they send is read and formatted once for all of them. */
export class BrokerRegistry {
  private readonly brokers: NamedBrokers<Registration>
  private readonly messages = createMessageCache(() => this.brokers.size > 1)
  private readonly recordFormat = record()

  constructor(private readonly parts: DeliveryParts) {
    this.brokers = new NamedBrokers({ clock: parts.clock, report: parts.report })
  }

  get subscriptions(): readonly Registration[] {
    return this.brokers.all()
  }

  /** @throws ChangeEventsError BROKER_INVALID, BROKER_NAME_TAKEN */
  register(name: string, broker: EventBroker, options: BrokerOptions = {}): void {
    this.brokers.check(name, broker, options)
    this.brokers.add(this.registration(name, broker, options))
  }

  /** @throws ChangeEventsError BROKER_UNKNOWN */
  async deregister(name: string, timeoutMs: number): Promise<void> {
    const registration = this.brokers.remove(name)
    await registration.delivery.stop(timeoutMs)
    await this.brokers.closeUnused(registration, timeoutMs)
  }

  /** Closes every broker once, all at the same time, and forgets the messages. */
  async closeAll(timeoutMs: number): Promise<void> {
    await this.brokers.closeAll(timeoutMs)
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
}
