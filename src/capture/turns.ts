/**
 * Lets work of several texts be alone on a connection. The driver queues what is sent at the same time, and so would put other people's
 * texts between ours.
 */
export class Turns {
  private current: Promise<unknown> | undefined

  /** Runs the work; what comes meanwhile waits. Work within a turn may take another. */
  take<Result>(work: () => Promise<Result>): Promise<Result> {
    const outer = this.current
    const done = work().finally(() => void (this.current = outer))
    this.current = done.catch(() => undefined)
    return done
  }

  /** Undefined when nobody has a turn; else the answer of the call once it may be made. A cursor or stream is its own answer. */
  wait(config: unknown, call: () => unknown): unknown {
    if (!this.current) return undefined
    const answer = this.current.then(call)
    return typeof (config as { submit?: unknown } | null)?.submit === "function" ? config : answer
  }
}
