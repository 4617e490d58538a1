import type { PendingEvent } from "../events/sink"

/** How much may wait. */
export interface QueueLimits {
  readonly maxQueuedEvents: number
  readonly maxQueuedBytes: number
}

export interface QueuedEvent {
  readonly event: PendingEvent
  /** When the sink accepted it, in milliseconds since 1970. */
  readonly acceptedAt: number
  /** 1 for the first event this queue let in, then ascending. */
  readonly sequence: number
}

/**
 * First in, first out, bounded by number and by bytes. An event that was taken still counts until it is released: what is in
 * flight takes memory too.
 */
export class BoundedQueue {
  private entries: QueuedEvent[] = []
  private head = 0
  private heldCount = 0
  private heldBytes = 0
  private sequence = 0

  constructor(private readonly limits: QueueLimits) {}

  /** Events waiting and in flight. */
  get count(): number {
    return this.heldCount
  }

  /** Bytes waiting and in flight, as the events estimate themselves. */
  get bytes(): number {
    return this.heldBytes
  }

  /** The sequence of the newest event let in. */
  get lastSequence(): number {
    return this.sequence
  }

  get isEmpty(): boolean {
    return this.head === this.entries.length
  }

  /** False when the event would exceed a limit: it is not let in, whatever leaves later. */
  push(event: PendingEvent, acceptedAt: number): boolean {
    if (this.heldCount >= this.limits.maxQueuedEvents) return false
    if (this.heldBytes + event.sizeBytes > this.limits.maxQueuedBytes) return false
    this.heldCount++
    this.heldBytes += event.sizeBytes
    this.entries.push({ event, acceptedAt, sequence: ++this.sequence })
    return true
  }

  peek(): QueuedEvent | undefined {
    return this.entries[this.head]
  }

  /** The oldest event. It counts until `release`. */
  take(): QueuedEvent | undefined {
    const entry = this.entries[this.head]
    if (entry === undefined) return undefined
    this.head++
    // Array.shift() moves everything behind; cutting off the taken half now and then is O(1) an event.
    if (this.head >= 1_024 && this.head * 2 >= this.entries.length) this.cut()
    return entry
  }

  release(entry: QueuedEvent): void {
    this.heldCount--
    this.heldBytes -= entry.event.sizeBytes
  }

  /** Forgets what was not taken, and says how many that were. */
  clear(): number {
    const forgotten = this.entries.slice(this.head)
    for (const entry of forgotten) this.release(entry)
    this.entries = []
    this.head = 0
    return forgotten.length
  }

  private cut(): void {
    this.entries = this.entries.slice(this.head)
    this.head = 0
  }
}
