const DEADLOCK = "40P01"

/** Each takes the second that the server waits before it looks for a deadlock. */
const MOST_ATTEMPTS = 3

/** What is read under locks, in a savepoint of its own. */
export interface LockingReading<Read, Reason> {
  /** Calls `begun` once the savepoint stands. */
  readonly read: (begun: () => void) => Promise<Read>
  /** Back to before it was begun; not called when it was not: an older savepoint of the name may be one that a failed statement left. */
  readonly undo: () => Promise<unknown>
  /** What to go on with when it failed. */
  readonly failed: (error: unknown) => Reason
}

/**
 * Reads; once more when that is the victim of a deadlock: what it locked is free again, so that the other transaction goes on. One that waits for
 * what this transaction wrote before does not: then the deadlock is the statement's own, as it is without capture. Carried out unread, the
 * statement might go through after the other one has failed, and its events would be lost.
 *
 * @throws the server's error, deadlock_detected; nothing is undone then
 */
export async function retriedAtDeadlock<Read, Reason>(reading: LockingReading<Read, Reason>): Promise<Read | Reason> {
  for (let attempt = 1; ; attempt++) {
    let isBegun = false
    try {
      return await reading.read(() => (isBegun = true))
    } catch (error) {
      const isDeadlock = (error as { code?: unknown } | undefined)?.code === DEADLOCK
      if (isDeadlock && attempt === MOST_ATTEMPTS) throw error
      if (isBegun) await reading.undo()
      if (!isDeadlock) return reading.failed(error)
    }
  }
}
