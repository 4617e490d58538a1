import { AsyncResource } from "node:async_hooks"

/** How long delivery may keep the event loop to itself before everything else has its turn, in milliseconds. */
const LONGEST_TURN_MS = 4

/** Turns of the event loop, shared by all deliveries of a sink: ten busy brokers block it no longer than one. */
export interface Turns {
  /**
   * Runs the function in the next turn, in the async context these turns were created in: a request that happens to start
   * the work must not lend it its context, nor be kept in memory by it.
   */
  start<Result>(run: () => Promise<Result>): Promise<Result>
  /** Whether this turn has been long enough. */
  isSpent(): boolean
  /** Resolves in the next turn of the event loop, after I/O and timers had theirs. */
  next(): Promise<void>
}

export function createTurns(): Turns {
  const ownContext = new AsyncResource("ChangeEventsDelivery")
  let startedAt = 0
  let upcoming: Promise<void> | undefined

  const begin = (resolve: () => void): void => {
    upcoming = undefined
    startedAt = performance.now()
    resolve()
  }
  const next = (): Promise<void> => (upcoming ??= new Promise((resolve) => setImmediate(begin, resolve)))
  return {
    start: (run) => ownContext.runInAsyncScope(() => next().then(run)),
    isSpent: () => performance.now() - startedAt > LONGEST_TURN_MS,
    next,
  }
}
