/** A committed change: the row, and which of its changes it is, counted from 1. */
export interface LedgerEntry {
  readonly row: string
  readonly n: number
}

/** What a consumer got: the same, with the event's id, in the order of its arrival. */
export interface JournalEntry extends LedgerEntry {
  readonly id: string
}

export interface FaultVerdict {
  /** Committed, and never delivered. */
  readonly lost: readonly string[]
  /** Delivered, and never committed. */
  readonly phantom: readonly string[]
  /** Delivered for the first time behind a later change of the same row. */
  readonly disordered: readonly string[]
  /** How many deliveries repeat one. At least once is what is promised. */
  readonly duplicates: number
}

/** Compares what was committed with what arrived. */
export function faultVerdict(ledger: readonly LedgerEntry[], journal: readonly JournalEntry[]): FaultVerdict {
  const committed = new Set(ledger.map(textOf))
  const newest = new Map<string, number>()
  const seen = new Map<string, string>()
  const disordered: string[] = []
  const twoIds: string[] = []
  for (const entry of journal) {
    const text = textOf(entry)
    const known = seen.get(text)
    if (known !== undefined && known !== entry.id) twoIds.push(`${text} as two events`)
    if (known === undefined && (newest.get(entry.row) ?? 0) > entry.n) disordered.push(text)
    newest.set(entry.row, Math.max(entry.n, newest.get(entry.row) ?? 0))
    seen.set(text, entry.id)
  }
  return {
    lost: [...committed].filter((text) => !seen.has(text)),
    phantom: [...[...seen.keys()].filter((text) => !committed.has(text)), ...twoIds],
    disordered,
    duplicates: journal.length - seen.size,
  }
}

function textOf({ row, n }: LedgerEntry): string {
  return `${row}#${n}`
}
