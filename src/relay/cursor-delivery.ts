import { asError, ChangeEventsError } from "../errors"
import { deliveryOptions, type DeliveryOptions } from "../publishing/delivery-options"
import { retryAfterMsOf, type Failure } from "../publishing/failure"
import { compileRoute } from "../publishing/route"
import { record } from "../formats/record"
import { backoffMs } from "../runtime/backoff"
import { movedTo, type CursorPosition } from "./cursor-position"
import { relayFailed, tooManyHeld, type CursorDeliveryParts, type CursorDeliveryStatus } from "./cursor-delivery-parts"
import { CursorBooks } from "./cursor-books"
import type { ClaimedCursor, CursorMove } from "./cursor-store"
import { LetterDelivery } from "./letter-delivery"
import { LetterStore, MAX_HELD_KEYS } from "./letter-store"
import { outgoingRows, type MessageOptions } from "./outgoing-messages"
import { PageDelivery, type PageDeliveryOptions } from "./page-delivery"
import { PreparedPages } from "./prepared-pages"
import type { RelayBroker } from "./relay-brokers"
import { Sender } from "./sender"
import { Waiting } from "./waiting"
import { WindowReader, type LogPage } from "./window-reader"

/** Part of the lease in which nothing is sent any more: the clocks of two machines differ in speed, and a call takes its time. */
const LEASE_MARGIN = 0.8

/** How long a cursor may move in memory only, in milliseconds. */
const SAVE_AFTER_MS = 5_000

const recordFormat = record()

/** Delivers from one cursor for as long as its lease is ours. */
export class CursorDelivery {
  private readonly waiting = new Waiting()
  private readonly letters: LetterStore
  private readonly letterDelivery: LetterDelivery
  private readonly options: PageDeliveryOptions
  private readonly messages: MessageOptions
  private readonly delivery: DeliveryOptions
  private readonly isHolding: boolean
  private pages: PreparedPages
  private saved: CursorPosition
  private savedAt = performance.now()
  private leasedAt: number
  private lettersSeen: string | undefined
  private lettersChanged: string
  private readonly books: CursorBooks
  /** The move under way, while the next page is being sent. Fails when it is waited for. */
  private moving: Promise<void> = Promise.resolve()
  private isStopped = false
  private isLost = false
  private reads = 0
  private idleWaiters: { readonly since: number; readonly resolve: () => void }[] = []

  constructor(
    readonly cursor: ClaimedCursor,
    readonly broker: RelayBroker,
    private readonly parts: CursorDeliveryParts,
  ) {
    const { connection, tables, delivery, reader, relay } = parts
    this.books = new CursorBooks({ name: cursor.name, relay, tally: broker.tally })
    const { matches, format } = compileRoute(broker.options, recordFormat)
    this.delivery = deliveryOptions(broker.options.delivery, delivery, { batchSize: DEFAULT_BATCH_SIZE })
    const { onPoison = "hold-key" } = broker.options
    this.isHolding = onPoison === "hold-key"
    this.messages = { matches, format, isRecord: format === recordFormat, reader }
    this.options = {
      sender: new Sender(broker, { shard: cursor.name.shard, timeoutMs: this.delivery.publishTimeoutMs }),
      delivery: this.delivery,
      onPoison,
      heldKeys: new Set(),
    }
    this.letters = new LetterStore(connection, tables, cursor)
    this.letterDelivery = new LetterDelivery(this.letters, {
      messages: this.messages,
      options: this.options,
      isHolding: this.isHolding,
      isLeading: () => this.isLeading(),
      pause: (failure) => this.pause(failure),
      lose: () => this.lose(),
      books: this.books,
    })
    this.saved = cursor.position
    this.leasedAt = cursor.leasedAt
    this.lettersChanged = cursor.lettersChanged
    this.pages = this.pagesFrom(cursor.position)
  }

  /** Resolves when it was stopped, or the cursor is somebody else's. Never rejects. */
  async run(): Promise<void> {
    this.books.changed("gained")
    while (this.isLeading()) {
      try {
        await this.deliverOnce()
        this.books.failures = 0
      } catch (thrown) {
        await this.databaseFailed(asError(thrown))
      }
    }
    await this.moving.catch(() => undefined)
    await this.pages.stop()
    this.books.state = "stopped"
    this.books.changed(this.isLost ? "lost" : "released")
    this.tellIdle(Infinity)
  }

  /** Resolves when all that was logged before is delivered, dead or to nobody here, or this delivery has ended. */
  async caughtUp(): Promise<void> {
    if (this.books.state === "stopped") return
    const { reads: since } = this
    const idle = new Promise<void>((resolve) => this.idleWaiters.push({ since, resolve }))
    this.wake()
    await idle
  }

  private tellIdle(read: number): void {
    for (const { since, resolve } of this.idleWaiters) if (read > since) resolve()
    this.idleWaiters = this.idleWaiters.filter(({ since }) => read <= since)
  }

  wake(): void {
    this.waiting.wake()
  }

  /** No further call is made; the one under way is waited for by who waits for `run`. */
  stop(): void {
    this.isStopped = true
    this.waiting.wake()
  }

  /** The lease was renewed by a statement sent at this time. */
  renewed(leasedAt: number, lettersChanged: string): void {
    this.leasedAt = leasedAt
    if (lettersChanged === this.lettersChanged) return
    this.lettersChanged = lettersChanged
    this.wake()
  }

  status(): CursorDeliveryStatus {
    return this.books.status()
  }

  /** Delivers the letters that are to be sent again, then one page; waits where there is none. */
  private async deliverOnce(): Promise<void> {
    if (this.lettersSeen !== this.lettersChanged) await this.deliverLetters()
    const { read, page, rows } = await this.pages.next()
    if (page.isIdle) return this.idle(read, page.before)
    this.waiting.reset()
    const delivery = new PageDelivery(rows, this.options)
    this.books.began(page, delivery)
    await this.deliver(page, delivery)
  }

  private async deliver(page: LogPage, delivery: PageDelivery): Promise<void> {
    while (!delivery.isDone && this.isLeading()) {
      const refused = await delivery.step()
      if (!refused) {
        this.books.failures = 0
        continue
      }
      await this.save(positionBefore(page, delivery.nextRowId), delivery, refused.failure.error.message)
      await this.pause(refused.failure)
    }
    if (delivery.isDone) await this.save(page.after, delivery, null)
    else await this.save(positionBefore(page, delivery.nextRowId), delivery, null)
  }

  private async pause(failure: Failure): Promise<void> {
    this.books.failed(failure.error, failure.code ?? "PUBLISH_FAILED")
    await this.backOff(retryAfterMsOf([failure], this.delivery.maxRetryAfterMs))
    this.books.state = "delivering"
  }

  /** A commit cuts a long pause of ours short, so that a broker that is back is soon found; never one that the broker asked for. */
  private async backOff(askedMs = 0): Promise<void> {
    if (this.isStopped) return
    const { retryDelayMs: baseMs, maxRetryDelayMs: maxMs } = this.delivery
    const delayMs = backoffMs(this.books.failures, { baseMs, maxMs })
    const until = performance.now() + Math.max(askedMs, Math.min(delayMs, SHORTENED_MS))
    await this.waiting.atLeast(delayMs)
    while (!this.isStopped && performance.now() < until) await this.waiting.atLeast(until - performance.now())
  }

  /** A page of which nothing was delivered need not be saved each time. */
  private async save(position: CursorPosition, delivery: PageDelivery, error: string | null): Promise<void> {
    const { delivered, letters } = delivery.takeBooks()
    this.books.accepted(delivered)
    const isEmpty = delivered === 0 && letters.length === 0 && error === null
    if (isEmpty && !this.isSaveDue && !this.isStopped) return
    if (this.options.heldKeys.size > MAX_HELD_KEYS) throw tooManyHeld(this.broker.name)
    await this.moving
    this.moving = this.move(position, { delivered, letters, error })
    // The next page goes out meanwhile, by the time that the lease has left. Two pages at most come again after a crash.
    if (letters.length > 0 || error !== null) return this.moving
    this.moving.catch(() => undefined)
  }

  private get isSaveDue(): boolean {
    return performance.now() - this.savedAt > SAVE_AFTER_MS
  }

  private async move(position: CursorPosition, news: Omit<CursorMove, "position">): Promise<void> {
    const movedAt = performance.now()
    const lettersChanged = await this.parts.store.move(this.cursor, { position, ...news })
    if (lettersChanged === undefined) return this.lose()
    this.books.buried(news.letters)
    this.books.moved(news.delivered, news.letters.length)
    this.saved = position
    this.savedAt = movedAt
    this.renewed(movedAt, lettersChanged)
  }

  private async deliverLetters(): Promise<void> {
    const { lettersChanged } = this
    const { heldKeys } = this.options
    await this.letterDelivery.deliverAll()
    heldKeys.clear()
    if (this.isHolding) for (const key of await this.letters.heldKeys()) heldKeys.add(key)
    if (heldKeys.size > MAX_HELD_KEYS) throw tooManyHeld(this.broker.name)
    if (this.isLeading()) this.lettersSeen = lettersChanged
  }

  /** Where it stands is saved also when nothing more comes: retention waits for what a cursor has not passed. */
  private async idle(read: number, position: CursorPosition): Promise<void> {
    await this.moving
    this.books.idle()
    this.tellIdle(read)
    if (position !== this.saved && this.isSaveDue) await this.move(position, { delivered: 0, letters: [], error: null })
    await this.waiting.longer(this.parts.pollMs)
  }

  /** Another relay has the cursor by now, and begins where the last move left it. */
  lose(): void {
    if (this.isStopped) return
    this.isStopped = true
    this.isLost = true
    this.waiting.wake()
    const { broker, shard } = this.cursor.name
    const message = `the lease of broker ${broker} (shard ${shard}) ended before it was renewed, another relay goes on`
    this.parts.report(new ChangeEventsError("LEASE_LOST", message, { details: { about: `${broker}/${shard}` } }))
  }

  /** Whether there is time to send: after a long sleep of the process somebody else may have the cursor already. */
  private isLeading(): boolean {
    if (this.isStopped) return false
    if (performance.now() - this.leasedAt < this.parts.leaseMs * LEASE_MARGIN) return true
    this.lose()
    return false
  }

  /** What was read may have been moved past, or not: it is read again from what was saved. */
  private async databaseFailed(error: Error): Promise<void> {
    const failure = relayFailed(this.broker.name, error)
    this.books.databaseFailed(error, failure.code)
    await this.moving.catch(() => undefined)
    this.moving = Promise.resolve()
    this.lettersSeen = undefined
    void this.pages.stop()
    this.pages = this.pagesFrom(this.saved)
    if (!this.isStopped) this.parts.report(failure)
    await this.backOff()
  }

  private pagesFrom(position: CursorPosition): PreparedPages {
    const { connection, tables } = this.parts
    const { shard, shards } = this.cursor.name
    const reader = new WindowReader(position, { connection, tables, shard, shards, pageRows: this.delivery.batchSize })
    return new PreparedPages(
      reader,
      () => ++this.reads,
      ({ rows }) => outgoingRows(rows, this.messages),
    )
  }
}

/** What a commit leaves of a pause: however much is committed, a broker that is down is asked once a second. */
const SHORTENED_MS = 1_000

/** Larger than for direct delivery, as each page is a statement. In pages of 1,000 the garbage collector has more to look through. */
const DEFAULT_BATCH_SIZE = 500

/** Before the row that is next: a row of several events is done with the last of them. */
function positionBefore({ before, after }: LogPage, nextRowId: bigint | undefined): CursorPosition {
  return nextRowId === undefined ? after : movedTo(before, String(nextRowId - 1n))
}
