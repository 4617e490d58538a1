import { backoffMs } from "../runtime/backoff"
import { within } from "../runtime/within"
import { answerOf, type RelayClient } from "./relay-connection"
import { Waiting } from "./waiting"

export interface RelayListenerOptions {
  readonly createClient: () => RelayClient
  /** Quoted. */
  readonly channel: string
  /** Called at every notification with what it says, and after every new connection: what was said meanwhile nobody heard. */
  readonly onWake: (said: string | undefined) => void
  /** How long a statement may take before the connection counts as broken, in milliseconds. */
  readonly timeoutMs: number
  /** How often a silent connection is asked whether it still is one, in milliseconds. */
  readonly probeMs: number
}

const LONGEST_PAUSE_MS = 30_000

/**
 * Listens for commits, on a connection that is made anew whenever it breaks, falls silent, or leads to a replica. Without it the relay
 * only polls: a pooler in transaction mode passes no notifications on, and is not asked to.
 */
export class RelayListener {
  private readonly waiting = new Waiting()
  private isStopped = false
  private failures = 0
  private running: Promise<void> | undefined
  private isBroken = false

  constructor(private readonly options: RelayListenerOptions) {}

  /** Whether it hears what is said. */
  isListening = false

  start(): void {
    this.running ??= this.run()
  }

  async stop(): Promise<void> {
    this.isStopped = true
    this.waiting.wake()
    await this.running
  }

  private async run(): Promise<void> {
    while (!this.isStopped) {
      const isPooled = await this.listenOnce().catch(() => false)
      if (isPooled || this.isStopped) return
      this.failures++
      await this.waiting.atLeast(backoffMs(this.failures, { baseMs: 100, maxMs: LONGEST_PAUSE_MS }))
    }
  }

  /** Throws also where there can be no client: the DataSource was destroyed. */
  private async listenOnce(): Promise<boolean> {
    const client = this.options.createClient()
    this.isBroken = false
    client.on("error", () => this.broken())
    client.on("end", () => this.broken())
    client.on("notification", ({ payload }) => this.options.onWake(payload))
    try {
      return await this.listen(client)
    } finally {
      this.isListening = false
      client.removeAllListeners()
      client.on("error", () => undefined)
      void client.end().catch(() => undefined)
    }
  }

  private broken(): void {
    this.isBroken = true
    this.waiting.wake()
  }

  /** Until it breaks. Gives whether there is a pooler in between. */
  private async listen(client: RelayClient): Promise<boolean> {
    const { channel, onWake, probeMs } = this.options
    await this.intime(client.connect())
    const asked = await this.intime(answerOf(client, { text: IDENTITY }))
    const { pid, replica } = asked.rows[0] as { pid: number; replica: boolean }
    if (client.processID != null && client.processID !== pid) return true
    if (replica) throw new Error("a replica hears nothing")
    await this.intime(answerOf(client, { text: `LISTEN ${channel}` }))
    this.isListening = true
    this.failures = 0
    onWake(undefined)
    while (!this.isStopped && !this.isBroken) {
      await this.waiting.atLeast(probeMs)
      if (!this.isBroken && !this.isStopped) await this.intime(answerOf(client, { text: "SELECT 1" }))
    }
    return false
  }

  private intime<T>(work: Promise<T>): Promise<T> {
    return within(this.options.timeoutMs, work, () => new Error("no answer"))
  }
}

const IDENTITY = "SELECT pg_backend_pid() AS pid, pg_is_in_recovery() AS replica"
