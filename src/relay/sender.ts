import type { EventBroker, PublishResult } from "../brokers/broker"
import type { EventMessage } from "../events/message"
import { systemClock } from "../publishing/clock"
import { readFailure, type Failure } from "../publishing/failure"
import { guardedCall } from "../publishing/guarded-call"

/** What became of a message: undefined when the broker has it. */
export type SendOutcome = Failure | undefined

/** A broker behind a guard: it may throw, hang or answer nonsense, and what comes out is one outcome for each message. */
export class Sender {
  /** Whether several messages go in one call. */
  readonly takesBatches: boolean
  /** Whether a call may hold two events of one key: only where what is behind a refused one is refused, too. */
  readonly keepsOrder: boolean

  constructor(
    private readonly broker: EventBroker,
    private readonly timeoutMs: number,
  ) {
    this.takesBatches = typeof broker.publishBatch === "function"
    this.keepsOrder = this.takesBatches && broker.keepsOrder === true
  }

  async send(messages: readonly EventMessage[]): Promise<readonly SendOutcome[]> {
    const guard = { timeoutMs: this.timeoutMs, clock: systemClock, keepAlive: true }
    try {
      if (!this.takesBatches) {
        await guardedCall(() => this.broker.publish(messages[0] as EventMessage), guard)
        return [undefined]
      }
      const results: unknown = await guardedCall(() => this.broker.publishBatch?.(messages), guard)
      if (!Array.isArray(results)) throw new TypeError("publishBatch must give an array of results")
      return messages.map((_, index) => outcomeOf(results[index]))
    } catch (thrown) {
      const failure = readFailure(thrown)
      return messages.map(() => failure)
    }
  }
}

function outcomeOf(result: PublishResult | null | undefined): SendOutcome {
  if (result?.accepted === true) return undefined
  const error: unknown = result?.accepted === false ? result.error : undefined
  return readFailure(error ?? new Error("publishBatch gave no result for the message"))
}

/** Whether nobody judged the message: nobody was reached, or nobody answered, as a server does that hangs. */
export function isOutage({ isOutage: isUnreachable, code }: Failure): boolean {
  return isUnreachable || code === "PUBLISH_TIMEOUT"
}
