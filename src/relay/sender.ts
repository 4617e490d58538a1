import type { EventBroker } from "../brokers/broker"
import type { EventMessage } from "../events/message"
import { systemClock } from "../publishing/clock"
import type { Failure } from "../publishing/failure"
import type { Outcome } from "../publishing/recipient"
import { sendMessages, takesBatches } from "../publishing/send-messages"

/** A broker, as the delivery of a cursor sees it. */
export class Sender {
  /** Whether several messages go in one call. */
  readonly takesBatches: boolean
  /** Whether a call may hold two events of one key: only where what is behind a refused one is refused, too. */
  readonly keepsOrder: boolean

  constructor(
    private readonly broker: EventBroker,
    private readonly timeoutMs: number,
  ) {
    this.takesBatches = takesBatches(broker)
    this.keepsOrder = this.takesBatches && broker.keepsOrder === true
  }

  send(messages: readonly EventMessage[]): Promise<readonly Outcome[]> {
    return sendMessages(this.broker, messages, { timeoutMs: this.timeoutMs, clock: systemClock, keepAlive: true })
  }
}

/** Whether nobody judged the message: nobody was reached, or nobody answered, as a server does that hangs. */
export function isOutage({ isOutage: isUnreachable, code }: Failure): boolean {
  return isUnreachable || code === "PUBLISH_TIMEOUT"
}
