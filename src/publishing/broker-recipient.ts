import type { EventBroker, PublishResult } from "../brokers/broker"
import type { EventMessage } from "../events/message"
import type { EventFormat } from "../formats/format"
import type { Clock } from "./clock"
import { readFailure } from "./failure"
import { guardedCall, type GuardOptions } from "./guarded-call"
import type { MessageCache } from "./message-cache"
import type { Outcome, Recipient } from "./recipient"

export interface BrokerRecipientOptions {
  readonly name: string
  readonly format: EventFormat
  readonly messages: MessageCache
  readonly publishTimeoutMs: number
  readonly clock: Clock
}

/**
 * A broker behind a guard. It may throw, reject, hang, answer late, twice or nonsense: what comes out is one outcome for each
 * message.
 */
export function brokerRecipient(broker: EventBroker, options: BrokerRecipientOptions): Recipient<EventMessage> {
  const guard: GuardOptions = { timeoutMs: options.publishTimeoutMs, clock: options.clock }
  const takesBatches = typeof broker.publishBatch === "function"
  return {
    label: `broker ${options.name}`,
    about: options.name,
    failureCode: "PUBLISH_FAILED",
    takesBatches,
    prepare: (event) => options.messages.messageFor(event, options.format),
    send: (messages) => (takesBatches ? sendBatch(broker, messages, guard) : sendOne(broker, messages, guard)),
  }
}

async function sendOne(
  broker: EventBroker,
  messages: readonly EventMessage[],
  guard: GuardOptions,
): Promise<readonly Outcome[]> {
  try {
    await guardedCall(() => broker.publish(messages[0] as EventMessage), guard)
    return [undefined]
  } catch (thrown) {
    return [readFailure(thrown)]
  }
}

async function sendBatch(
  broker: EventBroker,
  messages: readonly EventMessage[],
  guard: GuardOptions,
): Promise<readonly Outcome[]> {
  try {
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
