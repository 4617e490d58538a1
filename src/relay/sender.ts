import type { EventMessage } from "../events/message"
import { observedCall, type CallPlace, type ObservedCall } from "../publishing/broker-call"
import { systemClock } from "../publishing/clock"
import type { Failure } from "../publishing/failure"
import type { NamedBroker } from "../publishing/named-brokers"
import type { Outcome } from "../publishing/recipient"
import { sendMessages, takesBatches } from "../publishing/send-messages"

export interface SenderOptions {
  readonly shard: number
  /** How long a call may take, in milliseconds. */
  readonly timeoutMs: number
}

/** A broker, as the delivery of a cursor sees it. */
export class Sender {
  /** Whether several messages go in one call. */
  readonly takesBatches: boolean
  /** Whether a call may hold two events of one key: only where what is behind a refused one is refused, too. */
  readonly keepsOrder: boolean
  private readonly place: CallPlace

  constructor(
    private readonly named: NamedBroker,
    private readonly options: SenderOptions,
  ) {
    this.place = { broker: named.name, delivery: "relay", shard: options.shard }
    this.takesBatches = takesBatches(named.broker)
    this.keepsOrder = this.takesBatches && named.broker.keepsOrder === true
  }

  /** Before each call: who is to be told of it, if anybody listens. */
  observe(): ObservedCall<EventMessage> | undefined {
    return observedCall(this.place)
  }

  send(messages: readonly EventMessage[]): Promise<readonly Outcome[]> {
    const { timeoutMs } = this.options
    return sendMessages(this.named.broker, messages, { timeoutMs, clock: systemClock, keepAlive: true })
  }
}

/** Whether nobody judged the message: nobody was reached, or nobody answered, as a server does that hangs. */
export function isOutage({ isOutage: isUnreachable, code }: Failure): boolean {
  return isUnreachable || code === "PUBLISH_TIMEOUT"
}
