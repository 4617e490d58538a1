import type { CursorBooks } from "./cursor-books"
import type { Failure } from "../publishing/failure"
import type { LetterStore, RequeuedLetter } from "./letter-store"
import { outgoingLetter, type MessageOptions } from "./outgoing-messages"
import { PageDelivery, type PageDeliveryOptions } from "./page-delivery"

/** What the delivery of a cursor lends to that of its dead letters. */
export interface LetterDeliveryParts {
  readonly messages: MessageOptions
  readonly options: PageDeliveryOptions
  /** Whether a dead letter holds its key back. */
  readonly isHolding: boolean
  readonly isLeading: () => boolean
  readonly pause: (failure: Failure) => Promise<void>
  /** The cursor is somebody else's. */
  readonly lose: () => void
  readonly books: Pick<CursorBooks, "accepted" | "buried">
}

/** Sends dead letters again, in the order of the log. */
export class LetterDelivery {
  constructor(
    private readonly letters: LetterStore,
    private readonly parts: LetterDeliveryParts,
  ) {}

  async deliverAll(): Promise<void> {
    const { isHolding, isLeading } = this.parts
    let requeued = await this.letters.requeued(isHolding)
    while (requeued.length > 0 && isLeading()) {
      for (const letter of requeued) if (!(await this.deliver(letter))) break
      requeued = isLeading() ? await this.letters.requeued(isHolding) : []
    }
  }

  /** Whether the next letter may be sent: not when this one was refused again, for it may wait behind it. */
  private async deliver(letter: RequeuedLetter): Promise<boolean> {
    const { messages, options, isHolding, isLeading, pause, books } = this.parts
    const delivery = new PageDelivery(outgoingLetter(letter, messages), { ...options, heldKeys: new Set() })
    while (!delivery.isDone && isLeading()) {
      const refused = await delivery.step()
      if (refused) await pause(refused.failure)
    }
    const { letters, delivered } = delivery.takeBooks()
    books.accepted(delivered)
    const [refused] = letters
    if (!refused) return delivery.isDone && this.settled(this.letters.settle(letter))
    const { eventId, topic } = letter
    const again = { ...refused, eventId, topic: topic ?? undefined, attempts: letter.attempts + refused.attempts }
    if (await this.settled(this.letters.reject(letter, again, isHolding))) books.buried([again])
    return false
  }

  private async settled(own: Promise<boolean>): Promise<boolean> {
    const isOwn = await own
    if (!isOwn) this.parts.lose()
    return isOwn
  }
}
