/** How long to wait before trying again. */
export interface BackoffOptions {
  /** The first pause, in milliseconds; each further one is twice as long. 0 is no pause at all. */
  readonly baseMs: number
  /** No pause is longer, in milliseconds. */
  readonly maxMs: number
  /**
   * What part of the pause is left to chance, so that many clients do not come back in step. `equal` keeps half of it for
   * certain, `full` none. Default `equal`.
   */
  readonly jitter?: "equal" | "full"
  /** Gives a number from 0 up to, not including, 1. Default `Math.random`. */
  readonly random?: () => number
}

/** The pause after so many failures in a row, in whole milliseconds, from 0 to `maxMs`. No failure, no pause. */
export function backoffMs(failureCount: number, options: BackoffOptions): number {
  if (failureCount < 1) return 0
  const { baseMs, maxMs, jitter = "equal", random = Math.random } = options
  // 2 ** 1024 is Infinity, and 0 * Infinity is NaN: after 32 doublings every pause is at its bound anyway.
  const ceiling = Math.min(maxMs, baseMs * 2 ** Math.min(failureCount - 1, 32))
  const certain = jitter === "equal" ? ceiling / 2 : 0
  return Math.min(maxMs, Math.round(certain + random() * (ceiling - certain)))
}
