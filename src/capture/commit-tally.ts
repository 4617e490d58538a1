import type { PendingEvent } from "../events/sink"
import { diagnostics } from "../runtime/diagnostics"
import type { CommittedMessage } from "../runtime/diagnostics-messages"
import type { Replacements } from "./unwritten-events"

/** What was made since one savepoint. */
interface Part {
  count: number
  bytes: number
  serverRows: number
  readonly topics: Map<string, number>
}

/**
 * What a transaction is about to commit, by number, for who listens on the channel; nothing is counted while nobody does. By savepoint, because a
 * ROLLBACK TO takes back what came behind it.
 */
export class CommitTally {
  private parts: Part[] = []

  constructor(private readonly delivery: CommittedMessage["delivery"]) {}

  /** `depth` is the number of savepoints there are. */
  add(events: readonly PendingEvent[], depth: number): void {
    if (!diagnostics.committed.hasSubscribers) return
    for (const event of events) count(this.part(depth), event, 1)
  }

  /** Rows that the server wrote down by itself. */
  addRows(rows: number, depth: number): void {
    if (diagnostics.committed.hasSubscribers) this.part(depth).serverRows += rows
  }

  replace(replacements: Replacements): void {
    if (!diagnostics.committed.hasSubscribers) return
    const part = this.part(0)
    for (const [event, others] of replacements) {
      count(part, event, -1)
      for (const other of others) count(part, other, 1)
    }
  }

  /** `index` of the savepoint, counted from 0: what came behind it belongs to what is around it. */
  release(index: number): void {
    if (this.parts.length <= index + 1) return
    const inner = this.parts.splice(index + 1)
    for (const part of inner) addTo(this.part(index), part)
  }

  /** The savepoint itself stays. */
  rollBackTo(index: number): void {
    if (this.parts.length > index + 1) this.parts.length = index + 1
  }

  reset(): void {
    if (this.parts.length > 0) this.parts = []
  }

  /** The server has confirmed it. */
  tell(): void {
    if (this.parts.length === 0 || !diagnostics.committed.hasSubscribers) return
    const whole = newPart()
    for (const part of this.parts) if (part) addTo(whole, part)
    this.reset()
    const { count: events, bytes, serverRows, topics } = whole
    if (events <= 0 && serverRows === 0) return
    const told = [...topics].filter(([, number]) => number > 0)
    const message = { delivery: this.delivery, count: events, bytes, topics: Object.fromEntries(told), serverRows }
    diagnostics.committed.publish(message)
  }

  private part(depth: number): Part {
    while (this.parts.length <= depth) this.parts.push(newPart())
    return this.parts[depth] as Part
  }
}

function newPart(): Part {
  return { count: 0, bytes: 0, serverRows: 0, topics: new Map() }
}

/** What stays in this process, and what only the COMMIT makes events of, is none. */
function count(part: Part, { topic, sizeBytes, isInternal, isDeferred }: PendingEvent, times: 1 | -1): void {
  if (isInternal || isDeferred) return
  part.count += times
  part.bytes += times * sizeBytes
  part.topics.set(topic, (part.topics.get(topic) ?? 0) + times)
}

function addTo(sum: Part, part: Part): void {
  sum.count += part.count
  sum.bytes += part.bytes
  sum.serverRows += part.serverRows
  for (const [topic, number] of part.topics) sum.topics.set(topic, (sum.topics.get(topic) ?? 0) + number)
}
