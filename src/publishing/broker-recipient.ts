import type { EventBroker } from "../brokers/broker"
import type { EventMessage } from "../events/message"
import type { EventFormat } from "../formats/format"
import { observedCall } from "./broker-call"
import type { Clock } from "./clock"
import type { MessageCache } from "./message-cache"
import type { Recipient } from "./recipient"
import { sendMessages, takesBatches } from "./send-messages"

export interface BrokerRecipientOptions {
  readonly name: string
  readonly format: EventFormat
  readonly messages: MessageCache
  readonly publishTimeoutMs: number
  readonly clock: Clock
}

/** A broker, as a delivery sees it. */
export function brokerRecipient(broker: EventBroker, options: BrokerRecipientOptions): Recipient<EventMessage> {
  const guard = { timeoutMs: options.publishTimeoutMs, clock: options.clock }
  const place = { broker: options.name, delivery: "direct", shard: 0 } as const
  return {
    label: `broker ${options.name}`,
    about: options.name,
    failureCode: "PUBLISH_FAILED",
    broker: options.name,
    observe: () => observedCall(place),
    takesBatches: takesBatches(broker),
    prepare: (event) => options.messages.messageFor(event, options.format),
    send: (messages) => sendMessages(broker, messages, guard),
  }
}
