/**
 * `idle`: nothing waits. `delivering`: events are on their way. `retrying`: the pause after a failed call. `open`: too many calls
 * failed in a row, nothing is sent until the pause is over. `half-open`: one message is tried. `closed`: deregistered, or
 * everything is closed. `not-led`, with the outbox: no relay of this process delivers to it. Another process may, or nobody:
 * `change-events status` tells.
 */
export type DeliveryState = "idle" | "delivering" | "retrying" | "open" | "half-open" | "closed" | "not-led"

export interface DeliveryError {
  /** The error's own code, else the code it was reported by. */
  readonly code: string
  /** The error's message as the broker gave it, cut at 500 characters. Never a payload of ours. */
  readonly message: string
  readonly at: Date
}

/**
 * How a broker does. With direct delivery every event that a broker's topics match ends in exactly one of the first four.
 *
 * With the outbox it is what the relays of this process have come to since it began: an event that was refused, sent again and accepted is in
 * both `failed` and `delivered`, and `dropped` and `skipped` stay 0. The log itself is not asked.
 */
export interface BrokerStatus {
  /** Events the broker accepted. */
  readonly delivered: number
  /** Events given up: refused, out of attempts, or not to be read or formatted. With the outbox: dead letters, those that wait behind one included. */
  readonly failed: number
  /** Events that had no room in the queue, or still waited when the broker was deregistered or closed. */
  readonly dropped: number
  /** Events in which nothing differs after all, or that the broker's format has no message for. */
  readonly skipped: number
  readonly state: DeliveryState
  /** Events waiting and in flight. With the outbox: read from the log and not delivered yet. The log may hold more. */
  readonly queued: number
  /** What they take, in bytes, as they estimate themselves. */
  readonly queuedBytes: number
  /**
   * How long the oldest of them has waited since its commit, in milliseconds; 0 when none waits. With the outbox since it was logged, and null
   * while no relay of this process knows.
   */
  readonly lagMs: number | null
  /** The last failed call or event, also when a retry succeeded. Null when there was none. */
  readonly lastError: DeliveryError | null
  readonly lastDeliveredAt: Date | null
  /** With the outbox: the broker's shards, and which of them, from 0 on, relays of this process lead. */
  readonly shards?: { readonly total: number; readonly led: readonly number[] }
}

/** What a delivery counts. */
export interface Tally {
  delivered: number
  failed: number
  dropped: number
  skipped: number
  lastError: DeliveryError | null
  lastDeliveredAt: Date | null
}

export function createTally(): Tally {
  return { delivered: 0, failed: 0, dropped: 0, skipped: 0, lastError: null, lastDeliveredAt: null }
}
