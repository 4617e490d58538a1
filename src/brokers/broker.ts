import type { EventMessage } from "../events/message"

/** What became of one message of a batch. */
export type PublishResult = { readonly accepted: true } | { readonly accepted: false; readonly error: Error }

/**
 * All a user writes for a broker of their own.
 *
 * `publish` resolves when the broker has accepted the message, and rejects when it has not: a message that was only put into
 * a client's memory is not accepted. It is called for one message (or batch) at a time, in order, never concurrently.
 * An error with `retryable: false` says that trying again is useless (message too large, for example).
 */
export interface EventBroker {
  publish(message: EventMessage): Promise<void>
  /** Several at once, in order; one result each. Without it `publish` is called for each. */
  publishBatch?(messages: readonly EventMessage[]): Promise<readonly PublishResult[]>
  /** Ends what the broker opened itself. A client that was handed in stays open. */
  close?(): Promise<void>
}
