import type { PendingEvent } from "../events/sink"

/** An event and how many savepoints there were when it was made. */
interface MadeEvent {
  readonly event: PendingEvent
  depth: number
}

/** One that was written into the log behind a savepoint that is younger than it: undone with that savepoint, and to be written again. */
interface WrittenEvent extends MadeEvent {
  writtenDepth: number
}

/** What events are after all: none, one or several each. */
export type Replacements = ReadonlyMap<PendingEvent, readonly PendingEvent[]>

/**
 * The events of an open transaction that the change log does not hold yet. The log is written by the same transaction, so a ROLLBACK TO
 * also takes back what was written since its savepoint, and of that what had been made before is here again.
 */
export class UnwrittenEvents {
  private unwritten: MadeEvent[] = []
  private written: WrittenEvent[] = []
  private depth = 0
  private kept = 0

  get count(): number {
    return this.unwritten.length
  }

  /** Without those that the last `take()` has left here. */
  get freshCount(): number {
    return this.unwritten.length - this.kept
  }

  add(events: readonly PendingEvent[]): void {
    const { depth } = this
    for (const event of events) this.unwritten.push({ event, depth })
  }

  get events(): readonly PendingEvent[] {
    return this.unwritten.map(({ event }) => event)
  }

  replace(replacements: Replacements): void {
    this.unwritten = this.unwritten.flatMap((made) => {
      const events = replacements.get(made.event)
      return events ? events.map((event) => ({ event, depth: made.depth })) : [made]
    })
  }

  /**
   * The events to write now, which count as written from here on. What only a COMMIT makes events of stays, and with it what `waiting` finds
   * that must wait for these.
   */
  take(waiting: (events: readonly PendingEvent[]) => ReadonlySet<PendingEvent> = () => new Set()): PendingEvent[] {
    const { unwritten } = this
    const left = unwritten.some(({ event }) => event.isDeferred) ? waiting(this.events) : undefined
    const stays = ({ event }: MadeEvent): boolean => event.isDeferred === true || left?.has(event) === true
    const taken = left ? unwritten.filter((made) => !stays(made)) : unwritten
    this.unwritten = left ? unwritten.filter(stays) : []
    this.kept = this.unwritten.length
    for (const { event, depth } of taken) {
      if (depth < this.depth) this.written.push({ event, depth, writtenDepth: this.depth })
    }
    return taken.map(({ event }) => event)
  }

  savepoint(): void {
    this.depth++
  }

  /** `index` of the savepoint, counted from 0: it and those behind it are gone, what they held belongs to what is around them. */
  release(index: number): void {
    this.depth = index
    for (const made of this.unwritten) made.depth = Math.min(made.depth, index)
    for (const made of this.written) {
      made.depth = Math.min(made.depth, index)
      made.writtenDepth = Math.min(made.writtenDepth, index)
    }
    this.written = this.written.filter((made) => made.depth < made.writtenDepth)
  }

  /** The savepoint itself stays. */
  rollBackTo(index: number): void {
    const madeBefore = ({ depth }: MadeEvent): boolean => depth <= index
    const undone = this.written.filter((made) => madeBefore(made) && made.writtenDepth > index)
    this.unwritten = [...undone, ...this.unwritten.filter(madeBefore)]
    this.written = this.written.filter((made) => madeBefore(made) && made.writtenDepth <= index)
    this.kept = Math.min(this.kept, this.unwritten.length)
    this.depth = index + 1
  }

  reset(): void {
    if (this.unwritten.length > 0) this.unwritten = []
    if (this.written.length > 0) this.written = []
    this.kept = 0
    this.depth = 0
  }
}
