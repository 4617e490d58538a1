/** The time, and being woken at a time. Handed in, so that a test passes an hour in no time. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number
  /**
   * Runs the function once, after so many milliseconds; what it returns takes the order back. A timer does not keep the
   * process running unless `keepAlive` says so.
   */
  after(delayMs: number, run: () => void, options?: { readonly keepAlive?: boolean }): () => void
}

/** setTimeout takes a longer delay for none at all. */
const LONGEST_DELAY_MS = 2 ** 31 - 1

export const systemClock: Clock = {
  now: () => Date.now(),
  after: (delayMs, run, options) => {
    const timer = setTimeout(run, Math.min(delayMs, LONGEST_DELAY_MS))
    if (options?.keepAlive !== true) timer.unref()
    return () => clearTimeout(timer)
  },
}
