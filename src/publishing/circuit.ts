/** `closed`: calls go. `open`: the broker is left alone until a pause is over. `half-open`: one call may try it. */
export type CircuitState = "closed" | "open" | "half-open"

/** Stops calling a broker that fails every time, so that an outage costs a probe now and then instead of a storm. */
export interface Circuit {
  readonly state: CircuitState
  /** Failed calls since the last good one. */
  readonly failureCount: number
  succeed(): void
  /** True when this failure opened a circuit that was closed. */
  fail(): boolean
  /** The pause is over: the next call is the probe. */
  probe(): void
}

/** @param threshold failed calls in a row that open it; Infinity for never. */
export function createCircuit(threshold: number): Circuit {
  let state: CircuitState = "closed"
  let failureCount = 0

  const fail = (): boolean => {
    failureCount++
    const opens = state === "closed" && failureCount >= threshold
    if (opens || state === "half-open") state = "open"
    return opens
  }
  const succeed = (): void => {
    state = "closed"
    failureCount = 0
  }
  const probe = (): void => {
    if (state === "open") state = "half-open"
  }
  return {
    get state() {
      return state
    },
    get failureCount() {
      return failureCount
    },
    succeed,
    fail,
    probe,
  }
}
