import type { Tally } from "../publishing/broker-status"
import { diagnostics } from "../runtime/diagnostics"
import type { RelayMessage } from "../runtime/diagnostics-messages"
import type { CursorDeliveryStatus } from "./cursor-delivery-parts"
import type { CursorName } from "./cursor-store"
import type { NewDeadLetter } from "./dead-letter"
import type { PageDelivery } from "./page-delivery"
import type { LogPage } from "./window-reader"

export interface CursorBooksOptions {
  readonly name: CursorName
  /** The relay's id. */
  readonly relay: string
  /** What the relays of this process have come to with the broker, in all. */
  readonly tally: Tally
}

/** A broker's message may be long, and its status is for reading. */
const MAX_MESSAGE_LENGTH = 500

/** What the delivery of one cursor has come to: for its status, for the broker's, and for who listens on the channels. */
export class CursorBooks {
  state: CursorDeliveryStatus["state"] = "idle"
  /** Calls that failed since the last one that did not. */
  failures = 0
  private delivered = 0
  private deadLettered = 0
  private lastError: string | null = null
  /** What is being delivered. Undefined: nothing, as far as was looked. */
  private inHand: { readonly page: LogPage; readonly delivery: PageDelivery } | undefined
  private hasLooked = false

  constructor(private readonly options: CursorBooksOptions) {}

  changed(change: "gained" | "released" | "lost"): void {
    if (diagnostics.relay.hasSubscribers) diagnostics.relay.publish({ change, ...this.place() })
  }

  /** There is nothing to deliver. */
  idle(): void {
    this.state = "idle"
    this.hasLooked = true
    this.inHand = undefined
  }

  began(page: LogPage, delivery: PageDelivery): void {
    this.state = "delivering"
    this.hasLooked = true
    this.inHand = { page, delivery }
  }

  accepted(count: number): void {
    if (count === 0) return
    const { tally } = this.options
    this.delivered += count
    tally.delivered += count
    tally.lastDeliveredAt = new Date()
  }

  /** The letters are written. */
  buried(letters: readonly NewDeadLetter[]): void {
    this.deadLettered += letters.length
    this.options.tally.failed += letters.length
    const refused = letters.findLast(({ state }) => state === "rejected")
    if (refused) this.noteError(refused.error, refused.code)
    if (diagnostics["dead-letter"].hasSubscribers) for (const letter of letters) this.tellOf(letter)
  }

  /** The cursor was moved in the database. */
  moved(delivered: number, deadLettered: number): void {
    if (!diagnostics.relay.hasSubscribers) return
    diagnostics.relay.publish({ change: "moved", ...this.place(), delivered, deadLettered, lagMs: this.lagMs() ?? 0 })
  }

  failed(error: Error, code: string): void {
    this.failures++
    this.state = "waiting"
    this.noteError(error.message, code)
  }

  databaseFailed(error: Error, code: string): void {
    this.failed(error, code)
    if (diagnostics.relay.hasSubscribers) diagnostics.relay.publish({ change: "failed", ...this.place(), code })
  }

  status(): CursorDeliveryStatus {
    const { state, delivered, deadLettered, failures, lastError } = this
    const { broker, shard } = this.options.name
    const { count, bytes } = this.inHand?.delivery.remainder ?? { count: 0, bytes: 0 }
    const inHand = { queued: count, queuedBytes: bytes, lagMs: this.lagMs() }
    return { broker, shard, state, delivered, deadLettered, failures, lastError, ...inHand }
  }

  /** How long ago the row was written that is next, or was the last of a page that is done. */
  private lagMs(): number | null {
    if (!this.hasLooked) return null
    const { page, delivery } = this.inHand ?? {}
    const next = delivery?.nextRowId
    const row = page?.rows.find(({ id }) => id === next) ?? page?.rows.at(-1)
    return row ? Math.max(0, Date.now() - row.writtenAt.getTime()) : 0
  }

  private noteError(text: string, code: string): void {
    const message = text.slice(0, MAX_MESSAGE_LENGTH)
    this.lastError = message
    this.options.tally.lastError = { code, message, at: new Date() }
  }

  private tellOf({ eventId, topic, state, code, attempts }: NewDeadLetter): void {
    const { broker, shard } = this.place()
    diagnostics["dead-letter"].publish({
      broker,
      shard,
      event: { id: eventId, topic: topic ?? null },
      state,
      code,
      attempts,
    })
  }

  private place(): Pick<Extract<RelayMessage, { change: "moved" }>, "relay" | "broker" | "shard"> {
    const { relay, name } = this.options
    return { relay, broker: name.broker, shard: name.shard }
  }
}
