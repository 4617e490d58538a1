import type { EventSink, PendingEvent } from "../events/sink"

/** What one commit made. */
export interface CommittedBatch {
  readonly events: readonly PendingEvent[]
  /** The entities that it wrote. */
  readonly entities: ReadonlySet<object>
  /** When its last row was written, in seconds by the server's clock. */
  readonly writtenAt: number
}

/** A commit under way: the server may have carried it out, and we have not heard of it. */
export interface UnheardCommit {
  readonly entities: ReadonlySet<object>
  /** So long is its answer waited for, in milliseconds. */
  readonly waitedForMs: number
}

interface HeldBatch extends CommittedBatch {
  /** Commits that were under way when this one was heard of, and may have come before it. */
  readonly unheard: Set<UnheardCommit>
}

interface Waiter {
  readonly batches: ReadonlySet<HeldBatch>
  readonly resolve: () => void
}

/** A statement outside a transaction that takes longer waits for a lock, perhaps for what would be waiting for it. */
const STATEMENT_MS = 100
/** A COMMIT waits for nobody's lock, so its answer is on its way, however busy the machine; unless the network is gone. */
const COMMIT_MS = 2_000

/**
 * Puts what different connections committed into the order of their commits. The server frees a row before its answer is here: on a
 * busy machine one commit in ten of a hot row was heard of after its successor (20 connections, 2 cores).
 *
 * A batch waits for the answers under way that may belong before it, those to commits of the same entities; then batches go by the
 * time at which the server wrote their last row. Of two commits that wrote one row the second wrote it after the first had ended, so
 * that time tells them apart. Alone on its entity, a batch goes at once.
 */
export class CommitOrder {
  private readonly unheard = new Set<UnheardCommit>()
  private held: HeldBatch[] = []
  private waiting: Waiter[] = []

  constructor(private readonly sink: EventSink) {}

  /** A COMMIT is about to be sent. */
  expectCommit(entities: ReadonlySet<object>): UnheardCommit {
    return this.expect({ entities, waitedForMs: COMMIT_MS })
  }

  /** A statement outside a transaction is about to be sent. */
  expectStatement(entities: ReadonlySet<object>): UnheardCommit {
    return this.expect({ entities, waitedForMs: STATEMENT_MS })
  }

  private expect(commit: UnheardCommit): UnheardCommit {
    this.unheard.add(commit)
    return commit
  }

  /** Its answer is here: what it committed, or nothing if it failed or found no rows. */
  answer(commit: UnheardCommit | undefined, batch: CommittedBatch | undefined): void {
    if (commit) this.hear(commit)
    if (batch) this.accept(batch)
    if (this.held.length > 0) this.releaseReady()
  }

  /** Resolves when what is held now has gone: at once, or soon, for nothing is held for long. */
  async settled(): Promise<void> {
    const batches = new Set(this.held)
    if (batches.size > 0) await new Promise<void>((resolve) => this.waiting.push({ batches, resolve }))
  }

  private hear(commit: UnheardCommit): void {
    this.unheard.delete(commit)
    for (const batch of this.held) batch.unheard.delete(commit)
  }

  private accept(batch: CommittedBatch): void {
    const unheard = new Set([...this.unheard].filter((commit) => sharesEntity(commit, batch)))
    if (unheard.size === 0 && this.held.length === 0) return this.sink.accept(batch.events)
    const held = { ...batch, unheard }
    this.held.push(held)
    this.held.sort((a, b) => a.writtenAt - b.writtenAt)
    if (unheard.size > 0) this.waitFor(held, STATEMENT_MS)
  }

  /** After so long it waits only for those that are waited for longer. */
  private waitFor(batch: HeldBatch, waitedMs: number): void {
    setTimeout(() => {
      for (const commit of batch.unheard) if (commit.waitedForMs <= waitedMs) batch.unheard.delete(commit)
      if (batch.unheard.size > 0) this.waitFor(batch, COMMIT_MS)
      else if (this.held.includes(batch)) this.releaseReady()
    }, waitedMs)
  }

  /** Lets go, in order, of every batch that waits for no answer and for no earlier batch of its entities. */
  private releaseReady(): void {
    const kept: HeldBatch[] = []
    for (const batch of this.held) {
      const isReady = batch.unheard.size === 0 && !kept.some((earlier) => sharesEntity(earlier, batch))
      if (isReady) this.sink.accept(batch.events)
      else kept.push(batch)
    }
    this.held = kept
    if (this.waiting.length > 0) this.tellWaiting(new Set(kept))
  }

  private tellWaiting(held: ReadonlySet<HeldBatch>): void {
    const done = this.waiting.filter(({ batches }) => !holdsAny(held, batches))
    this.waiting = this.waiting.filter((waiter) => !done.includes(waiter))
    for (const { resolve } of done) resolve()
  }
}

function holdsAny(held: ReadonlySet<HeldBatch>, batches: ReadonlySet<HeldBatch>): boolean {
  return [...batches].some((batch) => held.has(batch))
}

function sharesEntity(one: { entities: ReadonlySet<object> }, other: { entities: ReadonlySet<object> }): boolean {
  for (const entity of one.entities) if (other.entities.has(entity)) return true
  return false
}

/** One text of several statements may commit several times. */
export function joined(earlier: CommittedBatch | undefined, later: CommittedBatch): CommittedBatch {
  if (!earlier) return later
  return {
    events: [...earlier.events, ...later.events],
    entities: new Set([...earlier.entities, ...later.entities]),
    writtenAt: later.writtenAt,
  }
}
