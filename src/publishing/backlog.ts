import type { PendingEvent } from "../events/sink"
import { BoundedQueue, type QueuedEvent, type QueueLimits } from "./bounded-queue"

/** An event that was taken from the queue, with what is sent for it. */
export interface HeldEvent<Item> {
  readonly entry: QueuedEvent
  readonly item: Item
  /** Calls that failed it. A call that found nobody there is not among them. */
  attempts: number
}

interface Waiter {
  readonly sequence: number
  readonly resolve: () => void
}

/** What one recipient has still to get: the events that wait, the few that are held for a call, and who waits for them. */
export class Backlog<Item> {
  /** Taken and not settled, oldest first: always older than anything in the queue. */
  private readonly heldEvents = new Set<HeldEvent<Item>>()
  private readonly queue: BoundedQueue
  private waiters: readonly Waiter[] = []

  constructor(limits: QueueLimits) {
    this.queue = new BoundedQueue(limits)
  }

  /** Events waiting and held. */
  get count(): number {
    return this.queue.count
  }

  /** Their bytes, as they estimate themselves. */
  get bytes(): number {
    return this.queue.bytes
  }

  get held(): readonly HeldEvent<Item>[] {
    return [...this.heldEvents]
  }

  get oldestHeld(): HeldEvent<Item> | undefined {
    return this.heldEvents.values().next().value
  }

  get oldest(): QueuedEvent | undefined {
    return this.oldestHeld?.entry ?? this.queue.peek()
  }

  /** Lets in what there is room for, and says how many events there was none for. */
  add(events: readonly PendingEvent[], acceptedAt: number): number {
    let refused = 0
    for (const event of events) if (!this.queue.push(event, acceptedAt)) refused++
    return refused
  }

  /** The next event, left where it is. */
  peek(): QueuedEvent | undefined {
    return this.queue.peek()
  }

  /** Takes the next event: at once to be held, or to be skipped. */
  take(): QueuedEvent | undefined {
    return this.queue.take()
  }

  hold(entry: QueuedEvent, item: Item): void {
    this.heldEvents.add({ entry, item, attempts: 0 })
  }

  /** A taken event with nothing to send for it is settled. */
  skip(entry: QueuedEvent): void {
    this.queue.release(entry)
  }

  /** A held event is settled. */
  release(held: HeldEvent<Item>): void {
    if (this.heldEvents.delete(held)) this.queue.release(held.entry)
  }

  /** Forgets the events that wait, not the held ones, and says how many. */
  clearWaiting(): number {
    return this.queue.clear()
  }

  /** Forgets the held events, and says how many. */
  clearHeld(): number {
    const forgotten = this.held
    for (const held of forgotten) this.release(held)
    return forgotten.length
  }

  /** Resolves when everything that was let in so far is settled and `announce` was called. */
  settled(): Promise<void> {
    const sequence = this.queue.lastSequence
    if (this.isSettled(sequence)) return Promise.resolve()
    return new Promise((resolve) => {
      this.waiters = [...this.waiters, { sequence, resolve }]
    })
  }

  /** Tells those who wait for what is settled by now. */
  announce(): void {
    const { waiters } = this
    if (waiters.length === 0) return
    this.waiters = waiters.filter(({ sequence }) => !this.isSettled(sequence))
    for (const { sequence, resolve } of waiters) if (this.isSettled(sequence)) resolve()
  }

  private isSettled(sequence: number): boolean {
    const { oldest } = this
    return oldest === undefined || oldest.sequence > sequence
  }
}
