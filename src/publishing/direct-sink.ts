import type { EventBroker } from "../brokers/broker"
import { ChangeEventsError } from "../errors"
import type { EventSink, PendingEvent } from "../events/sink"
import type { Report } from "../runtime/report"
import { BrokerRegistry } from "./broker-registry"
import type { BrokerStatus } from "./broker-status"
import { systemClock, type Clock } from "./clock"
import { createDelivery, type DeliveryParts } from "./delivery"
import { deliveryOptions, type DeliveryOptions } from "./delivery-options"
import { kindOf } from "./kind-of"
import { listenerRecipient, type EventListener } from "./listener-recipient"
import { rememberingFilter, type BrokerOptions } from "./route"
import { deliverMatching, type Subscription } from "./subscription"
import { createTurns } from "./turns"

export interface DirectSinkOptions {
  readonly report: Report
  /** How every broker and listener is delivered to, unless its own options say otherwise. */
  readonly delivery?: Partial<DeliveryOptions>
  /** Default: the system's. */
  readonly clock?: Clock
}

export interface WaitOptions {
  /** Longest wait, in milliseconds. Default 10 000. */
  readonly timeoutMs?: number
}

export interface DirectSinkStatus {
  readonly brokers: Readonly<Record<string, BrokerStatus>>
  /** Listeners registered with `on` and not disposed of. */
  readonly listeners: number
  /** Events that came after `close` and went nowhere. */
  readonly refusedAfterClose: number
}

/**
 * Delivers committed events from memory to the brokers, each by its own queue. At most once across a crash: what is queued
 * dies with the process, and timers of a delivery do not keep it alive, so call `flush` or `close` before it ends. Within a
 * process's life a call that was answered too late, or half, is repeated with the same event id.
 */
export interface DirectSink extends EventSink {
  /**
   * From now on the broker gets the events that its topics match.
   *
   * @throws ChangeEventsError BROKER_NAME_TAKEN, BROKER_INVALID (with every fault), CHANGES_CLOSED
   */
  registerBroker(name: string, broker: EventBroker, options?: BrokerOptions): void
  /**
   * Stops its delivery, waits for the call under way, drops and counts what is queued, closes the broker. The name is free
   * at once. A broker that is registered under another name too stays open.
   *
   * @throws ChangeEventsError BROKER_UNKNOWN
   */
  deregisterBroker(name: string, options?: WaitOptions): Promise<void>
  /**
   * Calls the listener with each event whose topic matches, after its commit, one at a time; what it throws is reported.
   * The same event is tried once. Gives the function that ends it.
   *
   * @throws ChangeEventsError OPTIONS_INVALID, CHANGES_CLOSED
   */
  on(pattern: string, listener: EventListener): () => void
  /**
   * Resolves when everything accepted before the call is delivered, failed, skipped or dropped.
   *
   * @throws ChangeEventsError FLUSH_TIMEOUT, with how many events each broker has still to get
   */
  flush(options?: WaitOptions): Promise<void>
  /**
   * Accepts nothing more, flushes, closes the brokers. Flushing and closing take at most `timeoutMs` each; what is not
   * delivered by then is dropped, counted and reported. Never rejects; a second call gives the first one's promise.
   */
  close(options?: WaitOptions): Promise<void>
  status(): DirectSinkStatus
  /** Whether anybody listens. */
  readonly isHeard: boolean
}

export function createDirectSink(options: DirectSinkOptions): DirectSink {
  return new QueueingSink(options)
}

const DEFAULT_TIMEOUT_MS = 10_000

class QueueingSink implements DirectSink {
  private readonly parts: DeliveryParts
  private readonly brokers: BrokerRegistry
  private readonly listeners = new Set<Subscription>()
  private refusedAfterClose = 0
  private closing: Promise<void> | undefined

  constructor({ report, delivery, clock = systemClock }: DirectSinkOptions) {
    this.parts = { options: deliveryOptions(delivery), turns: createTurns(), clock, report }
    this.brokers = new BrokerRegistry(this.parts)
  }

  accept(events: readonly PendingEvent[]): void {
    if (this.closing !== undefined) return this.refuse(events.length)
    const leaving = events.some((event) => event.isInternal) ? events.filter((event) => !event.isInternal) : events
    for (const broker of this.brokers.subscriptions) deliverMatching(broker, leaving)
    for (const listener of this.listeners) deliverMatching(listener, events)
  }

  registerBroker(name: string, broker: EventBroker, options?: BrokerOptions): void {
    this.assertOpen(`broker ${name} cannot be registered`)
    this.brokers.register(name, broker, options)
  }

  async deregisterBroker(name: string, { timeoutMs = DEFAULT_TIMEOUT_MS }: WaitOptions = {}): Promise<void> {
    await this.brokers.deregister(name, timeoutMs)
  }

  on(pattern: string, listener: EventListener): () => void {
    checkListener(pattern, listener)
    this.assertOpen(`listener "${pattern}" cannot be registered`)
    const subscription = this.listenerSubscription(pattern, listener)
    this.listeners.add(subscription)
    return () => {
      this.listeners.delete(subscription)
      void subscription.delivery.stop(0)
    }
  }

  async flush({ timeoutMs = DEFAULT_TIMEOUT_MS }: WaitOptions = {}): Promise<void> {
    const settled = Promise.all(this.subscriptions().map(({ delivery }) => delivery.settled()))
    if (!(await this.isWithin(settled, timeoutMs))) throw this.flushTimeout(timeoutMs)
  }

  close({ timeoutMs = DEFAULT_TIMEOUT_MS }: WaitOptions = {}): Promise<void> {
    return (this.closing ??= this.flushAndClose(timeoutMs))
  }

  get isHeard(): boolean {
    return this.listeners.size > 0
  }

  status(): DirectSinkStatus {
    const { refusedAfterClose } = this
    return { brokers: this.brokers.status(), listeners: this.listeners.size, refusedAfterClose }
  }

  private subscriptions(): readonly Subscription[] {
    return [...this.brokers.subscriptions, ...this.listeners]
  }

  private async flushAndClose(timeoutMs: number): Promise<void> {
    try {
      await this.flush({ timeoutMs })
    } catch (thrown) {
      this.parts.report(thrown as ChangeEventsError)
    }
    // Whoever has not answered by now is not waited for again.
    await Promise.all(this.subscriptions().map(({ delivery }) => delivery.stop(0)))
    await this.brokers.closeAll(timeoutMs)
  }

  private refuse(eventCount: number): void {
    if (eventCount === 0) return
    const isFirst = this.refusedAfterClose === 0
    this.refusedAfterClose += eventCount
    if (isFirst) this.parts.report(closedError("committed changes are not delivered"))
  }

  private assertOpen(refusal: string): void {
    if (this.closing !== undefined) throw closedError(refusal)
  }

  /** A listener is tried once, and never left alone: it is code of this process, not a server that may be down. */
  private listenerSubscription(pattern: string, listener: EventListener): Subscription {
    const options = { ...this.parts.options, maxAttempts: 1, circuitThreshold: Infinity }
    const { clock } = this.parts
    const recipient = listenerRecipient(listener, { pattern, timeoutMs: options.publishTimeoutMs, clock })
    const matches = rememberingFilter({ include: [pattern] })
    return { matches, delivery: createDelivery(recipient, { ...this.parts, options }) }
  }

  private isWithin(work: Promise<unknown>, timeoutMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      // Somebody waits: this timer keeps the process alive until the deliveries, whose timers do not, are done.
      const cancel = this.parts.clock.after(timeoutMs, () => resolve(false), { keepAlive: true })
      void work.then(cancel).then(() => resolve(true))
    })
  }

  private flushTimeout(timeoutMs: number): ChangeEventsError {
    const waiting = (subscription: Subscription): number => subscription.delivery.status().queued
    const counts = this.brokers.subscriptions.map((broker) => [broker.name, waiting(broker)] as const)
    const pending = Object.fromEntries(counts.filter(([, count]) => count > 0))
    const pendingListeners = [...this.listeners].reduce((sum, listener) => sum + waiting(listener), 0)
    const who = Object.entries(pending).map(([name, count]) => `broker ${name} ${count}`)
    if (pendingListeners > 0) who.push(`listeners ${pendingListeners}`)
    return new ChangeEventsError("FLUSH_TIMEOUT", `events still wait after ${timeoutMs} ms: ${who.join(", ")}`, {
      details: { timeoutMs, pending, pendingListeners },
    })
  }
}

function closedError(refusal: string): ChangeEventsError {
  return new ChangeEventsError("CHANGES_CLOSED", `${refusal}: close() was called`)
}

function checkListener(pattern: unknown, listener: unknown): void {
  const faults = [
    ...(typeof pattern === "string" ? [] : [`the pattern of a listener must be a string, got ${kindOf(pattern)}`]),
    ...(typeof listener === "function" ? [] : [`a listener must be a function, got ${kindOf(listener)}`]),
  ]
  if (faults.length > 0) throw new ChangeEventsError("OPTIONS_INVALID", faults.join("; "), { details: { faults } })
}
