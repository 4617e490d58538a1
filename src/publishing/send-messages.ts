import type { EventBroker, PublishResult } from "../brokers/broker"
import type { EventMessage } from "../events/message"
import { readFailure } from "./failure"
import { guardedCall, type GuardOptions } from "./guarded-call"
import type { Outcome } from "./recipient"

/** Whether several messages go in one call. */
export function takesBatches(broker: EventBroker): boolean {
  return typeof broker.publishBatch === "function"
}

/**
 * Sends to a broker behind a guard: one message, or several if it takes batches. It may throw, reject, hang, answer late, twice or nonsense:
 * what comes out is one outcome for each message.
 */
export async function sendMessages(
  broker: EventBroker,
  messages: readonly EventMessage[],
  guard: GuardOptions,
): Promise<readonly Outcome[]> {
  try {
    if (!takesBatches(broker)) {
      await guardedCall(() => broker.publish(messages[0] as EventMessage), guard)
      return [undefined]
    }
    const results: unknown = await guardedCall(() => broker.publishBatch?.(messages), guard)
    if (!Array.isArray(results)) throw new TypeError("publishBatch must give an array of results")
    return messages.map((_, index) => outcomeOf(results[index]))
  } catch (thrown) {
    const failure = readFailure(thrown)
    return messages.map(() => failure)
  }
}

/** A result that is missing or no result is a message that nobody accepted; results too many belong to no message. */
function outcomeOf(result: PublishResult | null | undefined): Outcome {
  if (result?.accepted === true) return undefined
  const error: unknown = result?.accepted === false ? result.error : undefined
  return readFailure(error ?? new Error("publishBatch gave no result for the message"))
}
