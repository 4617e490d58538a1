import type { JunctionChange } from "./junction-change"
import type { ListedKey } from "./relation-list"
import type { RowImage, RowPair } from "./row-image"
import type { TrackedJunction, TrackedRelation } from "./tracked-relation"

/** A row whose list in a relation a transaction changed. */
export interface TouchedRow {
  readonly relation: TrackedRelation
  readonly junction: TrackedJunction
  /** What the junction knows the row by. */
  readonly key: ListedKey
  /** The first statement that touched it: its context and time are the change's. */
  readonly first: JunctionChange
  /** What the transaction made of the list, all its statements together; what it added and removed again is not in it. */
  readonly added: readonly ListedKey[]
  readonly removed: readonly ListedKey[]
}

/** A key as one text, for maps. */
export function textOfKey(key: readonly (string | null)[]): string {
  return JSON.stringify(key)
}

interface Draft {
  readonly relation: TrackedRelation
  readonly key: ListedKey
  readonly first: JunctionChange
  readonly changes: Map<string, { readonly key: ListedKey; readonly isAdded: boolean }>
}

type Drafts = Map<TrackedRelation, Map<string, Draft>>

/** Of a junction whose rows were too many to bring here, none: what is left would not add up. */
export function touchedRows(changes: readonly JunctionChange[]): TouchedRow[] {
  const incomplete = new Set(changes.filter(({ rows }) => !rows).map(({ junction }) => junction.entity))
  const drafts: Drafts = new Map()
  for (const change of changes.filter(({ junction }) => !incomplete.has(junction.entity))) {
    for (const relation of change.junction.relations) {
      for (const pair of change.rows ?? []) notePair(drafts, change, relation, pair)
    }
  }
  return [...drafts.values()].flatMap((rows) => [...rows.values()].flatMap(touchedRow))
}

function notePair(drafts: Drafts, change: JunctionChange, relation: TrackedRelation, { before, after }: RowPair): void {
  if (before) note(draftOf(drafts, change, relation, before), keyAt(before, relation.other), false)
  if (after) note(draftOf(drafts, change, relation, after), keyAt(after, relation.other), true)
}

function draftOf(drafts: Drafts, first: JunctionChange, relation: TrackedRelation, row: RowImage): Draft {
  const rows = drafts.get(relation) ?? new Map<string, Draft>()
  drafts.set(relation, rows)
  const key = keyAt(row, relation.own)
  const text = textOfKey(key)
  const draft = rows.get(text) ?? { relation, key, first, changes: new Map() }
  rows.set(text, draft)
  return draft
}

/** A junction has a row for two keys once at most, so a key's second change takes back its first. */
function note({ changes }: Draft, key: ListedKey, isAdded: boolean): void {
  const text = textOfKey(key)
  if (changes.has(text) && changes.get(text)?.isAdded !== isAdded) changes.delete(text)
  else changes.set(text, { key, isAdded })
}

function touchedRow({ relation, key, first, changes }: Draft): TouchedRow[] {
  if (changes.size === 0) return []
  const keys = (isAdded: boolean): ListedKey[] =>
    [...changes.values()].filter((change) => change.isAdded === isAdded).map((change) => change.key)
  return [{ relation, junction: first.junction, key, first, added: keys(true), removed: keys(false) }]
}

function keyAt(row: RowImage, columns: readonly number[]): ListedKey {
  return columns.map((index) => row[index] ?? "")
}
