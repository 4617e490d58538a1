import type { EventMessage } from "../events/message"
import type { DeliveryOptions } from "../publishing/delivery-options"
import type { ObservedCall } from "../publishing/broker-call"
import type { Failure } from "../publishing/failure"
import type { NewDeadLetter } from "./dead-letter"
import type { OutgoingRow } from "./outgoing-messages"
import type { PoisonPolicy } from "../publishing/poison-policy"
import type { Outcome } from "../publishing/recipient"
import { isOutage, type Sender } from "./sender"

export interface PageDeliveryOptions {
  readonly sender: Sender
  readonly delivery: Pick<DeliveryOptions, "batchSize" | "maxAttempts">
  readonly onPoison: PoisonPolicy
  /** The keys that wait behind a dead letter: read, and added to. */
  readonly heldKeys: Set<string>
}

/** What a step came to: what failed, if the page cannot go on without a pause. */
export type StepResult = { readonly failure: Failure; readonly attempts: number } | undefined

/**
 * What is left of one page to be sent, step by step, in its order: at most one call a step. Nothing goes before what its key waits for.
 */
export class PageDelivery {
  private readonly left: OutgoingRow[]
  private newLetters: NewDeadLetter[] = []
  private accepted = 0
  private attempts = 0
  /** After a refusal its message goes alone: a bad one does not take others along. */
  private goesAlone = false

  constructor(
    rows: readonly OutgoingRow[],
    private readonly options: PageDeliveryOptions,
  ) {
    this.left = [...rows]
  }

  get isDone(): boolean {
    return this.left.length === 0
  }

  /** The row of the log that is next; all before it are done. */
  get nextRowId(): bigint | undefined {
    return this.left[0]?.rowId
  }

  /** Events that are still to be sent or put aside, and the bytes of their bodies. */
  get remainder(): { readonly count: number; readonly bytes: number } {
    const bytes = this.left.reduce((sum, { message }) => sum + (message?.body.length ?? 0), 0)
    return { count: this.left.length, bytes }
  }

  /** What is to be booked since the last time it was asked. */
  takeBooks(): { readonly delivered: number; readonly letters: readonly NewDeadLetter[] } {
    const books = { delivered: this.accepted, letters: this.newLetters }
    this.accepted = 0
    this.newLetters = []
    return books
  }

  async step(): Promise<StepResult> {
    const batch = this.nextBatch()
    if (batch.length === 0) return undefined
    const { sender } = this.options
    const call = sender.observe()
    const outcomes = await sender.send(batch.map(({ message }) => message as EventMessage))
    call?.answered()
    const { attempts } = this
    const result = this.book(batch, outcomes)
    if (call) this.tell(call, batch, { outcomes, attempts })
    return result
  }

  /** Tells of the call, once it is booked. `attempts` were made at the first message before. */
  private tell(
    call: ObservedCall<EventMessage>,
    batch: readonly OutgoingRow[],
    { outcomes, attempts }: { readonly outcomes: readonly Outcome[]; readonly attempts: number },
  ): void {
    batch.forEach((row, index) => {
      const failure = outcomes[index]
      const message = row.message as EventMessage
      if (!failure) return call.accepted(message)
      const isAttempt = batch.length === 1 && !isOutage(failure)
      const willRetry = batch.length > 1 || this.left[0] === row
      call.refused(message, failure, {
        attempt: attempts + (isAttempt ? 1 : 0),
        willRetry,
        isOutage: isOutage(failure),
      })
    })
    call.tell()
  }

  /** From the front of what is left, without what becomes a dead letter unsent. */
  private nextBatch(): readonly OutgoingRow[] {
    const { sender, delivery } = this.options
    const most = sender.takesBatches && !this.goesAlone ? delivery.batchSize : 1
    const batch: OutgoingRow[] = []
    const keys = new Set<string>()
    while (batch.length < most && batch.length < this.left.length) {
      const row = this.left[batch.length] as OutgoingRow
      if (this.isUnsendable(row)) {
        // Those before it in the batch are not settled: it must not be booked before them.
        if (batch.length > 0) break
        this.bury(row)
        continue
      }
      if (keys.has(row.key)) break
      if (!sender.keepsOrder) keys.add(row.key)
      batch.push(row)
    }
    return batch
  }

  private isUnsendable({ key, message }: OutgoingRow): boolean {
    return message === undefined || (this.options.onPoison === "hold-key" && this.options.heldKeys.has(key))
  }

  private bury(row: OutgoingRow): void {
    const { heldKeys, onPoison } = this.options
    this.left.shift()
    const isHeld = onPoison === "hold-key" && heldKeys.has(row.key)
    const code = (row.fault as { code?: string } | undefined)?.code ?? "EVENT_UNSERIALIZABLE"
    if (isHeld) return this.addLetter(row, { state: "held", code: "DEAD_LETTER_BEFORE", error: HELD, attempts: 0 })
    this.reject(row, { code, error: row.fault?.message ?? "there is no message", attempts: 0 })
  }

  private book(batch: readonly OutgoingRow[], outcomes: readonly Outcome[]): StepResult {
    const failed = batch.filter((_, index) => outcomes[index] !== undefined)
    this.accepted += batch.length - failed.length
    this.left.splice(0, batch.length, ...failed)
    if (failed.length < batch.length) this.attempts = 0
    const first = outcomes.find((outcome) => outcome !== undefined)
    if (!first) {
      this.goesAlone = false
      return undefined
    }
    return this.refused(failed, first, batch.length)
  }

  private refused(failed: readonly OutgoingRow[], failure: Failure, batchSize: number): StepResult {
    if (isOutage(failure)) return { failure, attempts: 0 }
    // What a whole batch was refused for is judged alone first.
    if (batchSize > 1) {
      this.goesAlone = true
      return failure.isRetryable ? { failure, attempts: 1 } : undefined
    }
    this.attempts++
    if (failure.isRetryable && this.attempts < this.options.delivery.maxAttempts) {
      return { failure, attempts: this.attempts }
    }
    const { code, error } = failure
    this.left.shift()
    this.reject(failed[0] as OutgoingRow, {
      code: code ?? "PUBLISH_FAILED",
      error: error.message,
      attempts: this.attempts,
    })
    this.attempts = 0
    this.goesAlone = false
    return undefined
  }

  private reject(row: OutgoingRow, why: Pick<NewDeadLetter, "code" | "error" | "attempts">): void {
    this.addLetter(row, { state: "rejected", ...why })
    if (this.options.onPoison === "hold-key") this.options.heldKeys.add(row.key)
  }

  private addLetter(
    { rowId, eventId, topic, key }: OutgoingRow,
    why: Pick<NewDeadLetter, "state" | "code" | "error" | "attempts">,
  ): void {
    this.newLetters.push({ rowId, eventId, topic, key, ...why, error: why.error.slice(0, MAX_ERROR_LENGTH) })
  }
}

const HELD = "it waits behind an event of its key that the broker refused"

/** A broker's message may be long. */
const MAX_ERROR_LENGTH = 2_000
