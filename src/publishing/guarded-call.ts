import { ChangeEventsError } from "../errors"
import type { Clock } from "./clock"

export interface GuardOptions {
  /** How long an answer may take, in milliseconds. */
  readonly timeoutMs: number
  readonly clock: Clock
  /** Whether somebody waits for the answer and the process must not end before. Default false. */
  readonly keepAlive?: boolean
}

/**
 * Calls foreign code and settles for certain: with its answer, with what it threw (at once or later), or after the timeout.
 * An answer after the timeout is ignored, and never an unhandled rejection.
 *
 * @throws ChangeEventsError PUBLISH_TIMEOUT
 */
export function guardedCall<Answer>(call: () => Answer | PromiseLike<Answer>, options: GuardOptions): Promise<Answer> {
  const { timeoutMs, clock, keepAlive } = options
  return new Promise((resolve, reject) => {
    const expire = (): void => reject(new ChangeEventsError("PUBLISH_TIMEOUT", `no answer within ${timeoutMs} ms`))
    const cancel = clock.after(timeoutMs, expire, { keepAlive })
    void attempt(call).then(resolve, reject).finally(cancel)
  })
}

/** A call that throws at once becomes a rejection, one that gives no promise a resolved one. */
async function attempt<Answer>(call: () => Answer | PromiseLike<Answer>): Promise<Answer> {
  return call()
}
