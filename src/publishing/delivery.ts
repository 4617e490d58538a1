import type { PendingEvent } from "../events/sink"
import { backoffMs } from "../runtime/backoff"
import { Backlog, type HeldEvent } from "./backlog"
import type { QueuedEvent } from "./bounded-queue"
import type { ObservedCall } from "./broker-call"
import type { BrokerStatus, DeliveryState } from "./broker-status"
import { createCircuit, type Circuit } from "./circuit"
import { DeliveryLedger, type LedgerParts } from "./delivery-ledger"
import { readFailure, retryAfterMsOf, type Failure } from "./failure"
import type { Outcome, Recipient } from "./recipient"
import type { Turns } from "./turns"

/** A batch is complete when it holds so much, in bytes as the events estimate themselves. */
const MAX_BATCH_BYTES = 4 * 1024 * 1024

/**
 * The way of events to one recipient: a bounded queue, and a loop that makes one call at a time, in order.
 *
 * An event that was not accepted is tried again before anything newer goes, and alone: a bad event does not take its batch
 * along, and of its key nothing overtakes it but what the broker accepted out of the very same batch.
 */
export interface Delivery {
  /** Takes what there is room for. Only queues: no call is made before the caller has returned. */
  accept(events: readonly PendingEvent[]): void
  /** Resolves when everything accepted so far is delivered, failed, skipped or dropped. */
  settled(): Promise<void>
  /** Drops what waits, makes no further call, and gives the one under way so many milliseconds to be answered. */
  stop(graceMs: number): Promise<void>
  status(): BrokerStatus
}

export interface DeliveryParts extends LedgerParts {
  readonly turns: Turns
}

export function createDelivery<Item>(recipient: Recipient<Item>, parts: DeliveryParts): Delivery {
  return new QueuedDelivery(recipient, parts)
}

class QueuedDelivery<Item> implements Delivery {
  private readonly backlog: Backlog<Item>
  private readonly circuit: Circuit
  private readonly ledger: DeliveryLedger
  private loop: Promise<void> | undefined
  private endPause: (() => void) | undefined
  private isStopped = false

  constructor(
    private readonly recipient: Recipient<Item>,
    private readonly parts: DeliveryParts,
  ) {
    this.backlog = new Backlog(parts.options)
    this.circuit = createCircuit(parts.options.circuitThreshold)
    this.ledger = new DeliveryLedger(recipient, parts)
  }

  accept(events: readonly PendingEvent[]): void {
    if (this.isStopped) return this.ledger.dropped(events.length)
    const refused = this.backlog.add(events, this.parts.clock.now())
    if (refused > 0) this.ledger.hadNoRoom(refused)
    this.loop ??= this.parts.turns.start(() => this.run())
  }

  settled(): Promise<void> {
    return this.backlog.settled()
  }

  async stop(graceMs: number): Promise<void> {
    this.isStopped = true
    this.ledger.dropped(this.backlog.clearWaiting())
    this.endPause?.()
    if (this.loop !== undefined && graceMs > 0) await this.loopEnds(this.loop, graceMs)
    this.ledger.dropped(this.backlog.clearHeld())
    this.backlog.announce()
  }

  status(): BrokerStatus {
    const { oldest, count, bytes } = this.backlog
    const lagMs = oldest === undefined ? 0 : Math.max(0, this.parts.clock.now() - oldest.acceptedAt)
    return { ...this.ledger.tally, state: this.state(), queued: count, queuedBytes: bytes, lagMs }
  }

  private state(): DeliveryState {
    if (this.isStopped) return "closed"
    if (this.circuit.state !== "closed") return this.circuit.state
    if (this.endPause !== undefined) return "retrying"
    return this.backlog.count > 0 ? "delivering" : "idle"
  }

  private async run(): Promise<void> {
    while (!this.isStopped && this.backlog.count > 0) {
      const pauseMs = await this.deliverOnce()
      this.backlog.announce()
      await this.pause(pauseMs)
      if (this.parts.turns.isSpent()) await this.parts.turns.next()
    }
    this.loop = undefined
  }

  /** Makes at most one call. Gives the pause to make before the next, in milliseconds. */
  private async deliverOnce(): Promise<number> {
    const batch = await this.nextBatch()
    if (this.isStopped || batch.length === 0) return 0
    const call = this.recipient.observe?.()
    const outcomes = await this.recipient.send(batch.map(({ item }) => item))
    call?.answered()
    this.settle(batch, outcomes, call)
    call?.tell()
    return Math.max(this.pauseAfter(batch), retryAfterMsOf(outcomes, this.parts.options.maxRetryAfterMs))
  }

  private async nextBatch(): Promise<readonly HeldEvent<Item>[]> {
    const { oldestHeld } = this.backlog
    if (oldestHeld !== undefined) return [oldestHeld]
    await this.fillBatch()
    return this.backlog.held
  }

  private async fillBatch(): Promise<void> {
    const isProbe = this.circuit.state !== "closed"
    const limit = this.recipient.takesBatches && !isProbe ? this.parts.options.batchSize : 1
    let heldCount = 0
    let heldBytes = 0
    while (!this.isStopped && heldCount < limit && heldBytes < MAX_BATCH_BYTES) {
      const entry = this.backlog.take()
      if (entry === undefined) return
      if (this.prepare(entry)) {
        heldCount++
        heldBytes += entry.event.sizeBytes
      }
      if (this.parts.turns.isSpent()) await this.parts.turns.next()
    }
  }

  /** Whether there is something to send for the event. */
  private prepare(entry: QueuedEvent): boolean {
    try {
      const item = this.recipient.prepare(entry.event)
      if (item !== undefined) {
        this.backlog.hold(entry, item)
        return true
      }
      this.ledger.skipped()
    } catch (thrown) {
      this.ledger.couldNotPrepare(entry.event, readFailure(thrown))
    }
    this.backlog.skip(entry)
    return false
  }

  /** Books the answers. Those that came after everything held was dropped are nobody's any more. */
  private settle(
    batch: readonly HeldEvent<Item>[],
    outcomes: readonly Outcome[],
    call: ObservedCall<Item> | undefined,
  ): void {
    if (this.backlog.oldestHeld === undefined) return
    batch.forEach((held, index) => this.settleOne(held, outcomes[index], call))
    const failures = outcomes.filter((outcome) => outcome !== undefined)
    // A broker that accepted something, or judged a message for good, is up.
    const isUp = failures.length < outcomes.length || failures.some(({ isRetryable }) => !isRetryable)
    if (isUp) this.circuit.succeed()
    else if (this.circuit.fail()) this.ledger.circuitOpened(failures[0] as Failure, this.circuit.failureCount)
  }

  private settleOne(held: HeldEvent<Item>, failure: Outcome, call: ObservedCall<Item> | undefined): void {
    if (failure !== undefined) return this.refuse(held, failure, call)
    this.backlog.release(held)
    this.ledger.delivered()
    call?.accepted(held.item)
  }

  /** Leaves the event held for the next try, or gives it up. */
  private refuse(held: HeldEvent<Item>, failure: Failure, call: ObservedCall<Item> | undefined): void {
    this.ledger.refused(failure)
    const { isRetryable, isOutage } = failure
    const isAttempt = !isOutage || !isRetryable
    if (isAttempt) held.attempts++
    const willRetry = isRetryable && (!isAttempt || held.attempts < this.parts.options.maxAttempts)
    call?.refused(held.item, failure, { attempt: held.attempts, willRetry, isOutage })
    if (willRetry) return
    this.backlog.release(held)
    this.ledger.gaveUp(held.entry.event, failure, held.attempts)
  }

  private pauseAfter(batch: readonly HeldEvent<Item>[]): number {
    const { oldestHeld } = this.backlog
    const isRetry = oldestHeld !== undefined && batch.includes(oldestHeld)
    if (!isRetry && this.circuit.state !== "open") return 0
    const failureCount = Math.max(this.circuit.failureCount, oldestHeld?.attempts ?? 0)
    const { retryDelayMs, maxRetryDelayMs } = this.parts.options
    return backoffMs(failureCount, { baseMs: retryDelayMs, maxMs: maxRetryDelayMs })
  }

  private async pause(pauseMs: number): Promise<void> {
    if (pauseMs > 0 && !this.isStopped) {
      await new Promise<void>((resolve) => {
        const cancel = this.parts.clock.after(pauseMs, resolve)
        this.endPause = () => {
          cancel()
          resolve()
        }
      })
      this.endPause = undefined
    }
    this.circuit.probe()
  }

  private loopEnds(loop: Promise<void>, graceMs: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.parts.clock.after(graceMs, resolve, { keepAlive: true })
      void loop.then(cancel).then(resolve)
    })
  }
}
