/**
 * Lets work of several texts be alone on a connection. The driver queues what is sent at the same time, and so would put other people's
 * texts between ours.
 */
export class Turns {
  private current: Promise<unknown> | undefined

  get isTaken(): boolean {
    return this.current !== undefined
  }

  /** Runs the work; what comes meanwhile waits. Work within a turn may take another. */
  take<Result>(work: () => Promise<Result>): Promise<Result> {
    const outer = this.current
    const done = work().finally(() => void (this.current = outer))
    this.current = done.catch(() => undefined)
    return done
  }

  /** What comes before this is answered waits. Gives the answer, in a promise that is said to be unhandled where nobody handles it. */
  follow<Answer>(answering: Promise<Answer>): Promise<Answer> {
    const over = (): void => {
      if (this.current === done) this.current = undefined
    }
    const done: Promise<void> = answering.then(over, over)
    this.current = done
    return answering.then((answer) => answer)
  }

  /** Undefined when nobody has a turn; else the answer of the call once it may be made. A cursor or stream is its own answer. */
  wait(config: unknown, call: () => unknown): unknown {
    if (!this.current) return undefined
    const answer = this.current.then(call)
    return typeof (config as { submit?: unknown } | null)?.submit === "function" ? config : answer
  }
}
