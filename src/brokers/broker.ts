import type { EventMessage } from "../events/message"

/** What became of one message of a batch. */
export type PublishResult = { readonly accepted: true } | { readonly accepted: false; readonly error: Error }

/**
 * All a user writes for a broker of their own.
 *
 * `publish` resolves when the broker has accepted the message, and rejects when it has not: a message that was only put into
 * a client's memory is not accepted. It is called for one message (or batch) at a time, in order; only a call that did not answer
 * in time may still be under way when the next one comes.
 *
 * What the error says decides what follows. `retryable: false`: trying again is useless (message too large), the message is given
 * up. `code: "BROKER_UNAVAILABLE"` (or ECONNREFUSED, ENOTFOUND, EHOSTUNREACH, … on it or its cause): nobody was reached, the
 * message waits without losing an attempt. Anything else: one of its attempts has failed. `retryAfterMs`, a number of milliseconds:
 * the broker is not called before, up to `maxRetryAfterMs`.
 */
export interface EventBroker {
  publish(message: EventMessage): Promise<void>
  /** Several at once, in order; one result each. Without it `publish` is called for each. */
  publishBatch?(messages: readonly EventMessage[]): Promise<readonly PublishResult[]>
  /**
   * Whether `publishBatch` accepts nothing behind the first message it refuses. Without it a relay never puts two events of one key
   * into one call. Default false.
   */
  readonly keepsOrder?: boolean
  /** Ends what the broker opened itself. A client that was handed in stays open. */
  close?(): Promise<void>
}
