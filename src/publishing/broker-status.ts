/**
 * `idle`: nothing waits. `delivering`: events are on their way. `retrying`: the pause after a failed call. `open`: too many calls
 * failed in a row, nothing is sent until the pause is over. `half-open`: one message is tried. `closed`: deregistered, or
 * everything is closed.
 */
export type DeliveryState = "idle" | "delivering" | "retrying" | "open" | "half-open" | "closed"

export interface DeliveryError {
  /** The error's own code, else the code it was reported by. */
  readonly code: string
  /** The error's message as the broker gave it, cut at 500 characters. Never a payload of ours. */
  readonly message: string
  readonly at: Date
}

/** How a broker does. Every event that a broker's topics match ends in exactly one of the first four. */
export interface BrokerStatus {
  /** Events the broker accepted. */
  readonly delivered: number
  /** Events given up: refused, out of attempts, or not to be read or formatted. */
  readonly failed: number
  /** Events that had no room in the queue, or still waited when the broker was deregistered or closed. */
  readonly dropped: number
  /** Events in which nothing differs after all, or that the broker's format has no message for. */
  readonly skipped: number
  readonly state: DeliveryState
  /** Events waiting and in flight. */
  readonly queued: number
  /** What they take, in bytes, as they estimate themselves. */
  readonly queuedBytes: number
  /** How long the oldest of them has waited since its commit, in milliseconds; 0 when none waits. */
  readonly lagMs: number
  /** The last failed call or event, also when a retry succeeded. Null when there was none. */
  readonly lastError: DeliveryError | null
  readonly lastDeliveredAt: Date | null
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
