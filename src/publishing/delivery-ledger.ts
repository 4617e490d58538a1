import type { PendingEvent } from "../events/sink"
import { diagnostics } from "../runtime/diagnostics"
import type { DroppedMessage } from "../runtime/diagnostics-messages"
import type { Report } from "../runtime/report"
import { createTally, type DeliveryError, type Tally } from "./broker-status"
import type { Clock } from "./clock"
import type { DeliveryOptions } from "./delivery-options"
import { circuitOpened, givenUp, queueFull, unserializable } from "./delivery-reports"
import type { Failure } from "./failure"
import type { Recipient } from "./recipient"

/** A broker's message may be long, and its status is for reading. */
const MAX_MESSAGE_LENGTH = 500

export interface LedgerParts {
  readonly options: DeliveryOptions
  readonly clock: Clock
  readonly report: Report
}

/** Books what becomes of each event of one recipient, and reports what nobody else would notice. */
export class DeliveryLedger {
  private readonly books = createTally()

  constructor(
    private readonly recipient: Recipient<unknown>,
    private readonly parts: LedgerParts,
  ) {}

  get tally(): Tally {
    return { ...this.books }
  }

  delivered(): void {
    this.books.delivered++
    this.books.lastDeliveredAt = new Date(this.parts.clock.now())
  }

  skipped(): void {
    this.books.skipped++
  }

  /** They still waited when the recipient was closed. */
  dropped(count: number): void {
    this.books.dropped += count
    this.tell("closed", count)
  }

  hadNoRoom(count: number): void {
    this.books.dropped += count
    this.tell("queue-full", count)
    this.parts.report(queueFull(this.recipient, count, this.parts.options))
  }

  /** A call failed the event, which is not settled by that. */
  refused(failure: Failure): void {
    this.books.lastError = this.errorOf(failure, this.recipient.failureCode)
  }

  gaveUp(event: PendingEvent, failure: Failure, attempts: number): void {
    this.books.failed++
    this.tell("given-up", 1, event)
    this.parts.report(givenUp(this.recipient, event, failure, attempts))
  }

  couldNotPrepare(event: PendingEvent, failure: Failure): void {
    this.books.failed++
    this.books.lastError = this.errorOf(failure, "EVENT_UNSERIALIZABLE")
    this.tell("unreadable", 1, event)
    this.parts.report(unserializable(this.recipient, event, failure))
  }

  circuitOpened(failure: Failure, failedCalls: number): void {
    this.parts.report(circuitOpened(this.recipient, failure, failedCalls))
  }

  private tell(reason: DroppedMessage["reason"], count: number, event?: PendingEvent): void {
    const { broker } = this.recipient
    if (broker === undefined || count === 0 || !diagnostics.dropped.hasSubscribers) return
    const events = event ? [{ id: event.id, topic: event.topic }] : []
    diagnostics.dropped.publish({ broker, reason, count, events })
  }

  private errorOf({ code, error }: Failure, fallbackCode: string): DeliveryError {
    const message = error.message.slice(0, MAX_MESSAGE_LENGTH)
    return { code: code ?? fallbackCode, message, at: new Date(this.parts.clock.now()) }
  }
}
