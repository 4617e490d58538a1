import type { PendingEvent } from "../events/sink"
import { CapturedChange, type ChangeBatch } from "./captured-change"
import { JunctionChange } from "./junction-change"
import type { ListedKey, RelationLists } from "./relation-list"
import type { FoundRow } from "./relation-reader"
import { relatedRow } from "./row-changes"
import { textOfKey, touchedRows, type TouchedRow } from "./touched-row"
import type { TrackedRelation } from "./tracked-relation"
import type { Replacements } from "./unwritten-events"

/** A touched row with the events of the same transaction that tell of it, in their order. */
export interface ToldRow extends TouchedRow {
  readonly told: readonly CapturedChange[]
}

/** A row whose lists are known. */
export interface ListedRow extends ToldRow {
  readonly lists: RelationLists
  /** The row itself, where it was read; only what no event tells of needs it. */
  readonly found: FoundRow | undefined
}

export function toldRows(rows: readonly TouchedRow[], events: readonly PendingEvent[]): ToldRow[] {
  const changes = events.filter((event) => event instanceof CapturedChange)
  const relations = new Set(rows.map(({ relation }) => relation))
  const byKey = new Map([...relations].map((relation) => [relation, changesByKey(relation, changes)]))
  return rows.map((row) => ({ ...row, told: byKey.get(row.relation)?.get(textOfKey(row.key)) ?? [] }))
}

/** By the key that the row has, and by the one it had if the change was of the key. */
function changesByKey(
  { entity, referenced }: TrackedRelation,
  changes: readonly CapturedChange[],
): ReadonlyMap<string, CapturedChange[]> {
  const byKey = new Map<string, CapturedChange[]>()
  for (const change of changes.filter(({ batch }) => batch.entity === entity)) {
    for (const text of change.textsAt(referenced).map(textOfKey)) {
      byKey.set(text, [...(byKey.get(text) ?? []), change])
    }
  }
  return byKey
}

/** Whether what the relation lists for it must be read: not for a row that the transaction made or deleted, and nobody else can see. */
export function needsReading({ told }: ToldRow): boolean {
  return !told[0]?.isInsertion && !told.at(-1)?.isDeletion
}

/** The list is that of the reading, and before the transaction's own changes that without them: no one else can have made these. */
export function listsOf(row: ToldRow, found: FoundRow | undefined): RelationLists {
  const { relation, first, added, removed, told } = row
  const parsers = first.batch.parsers
  if (told[0]?.isInsertion) return { relation, parsers, before: [], after: told.at(-1)?.isDeletion ? [] : added }
  const after = found?.listed ?? []
  const own = new Set(added.map(textOfKey))
  const before: ListedKey[] = [...after.filter((key) => !own.has(textOfKey(key))), ...removed]
  return { relation, parsers, before, after }
}

export interface BatchSource {
  /** The batch of rows that were read, not written. */
  batchOf(row: ListedRow, found: FoundRow): ChangeBatch
}

/** The lists in the events of their rows, and in the place of a junction's changes an update for each row that has no event. */
export function foldedEvents(
  events: readonly PendingEvent[],
  rows: readonly ListedRow[],
  source: BatchSource,
): Replacements {
  const folded = new Map<CapturedChange, RelationLists[]>()
  for (const [event, lists] of rows.flatMap(shares)) folded.set(event, [...(folded.get(event) ?? []), lists])
  const untold = rows.filter(({ told }) => told.length === 0)
  const updates = updatesByFirst(untold, source)
  return new Map<PendingEvent, readonly PendingEvent[]>([
    ...junctionChanges(events).map((change) => [change, updates.get(change) ?? []] as const),
    ...[...folded].map(([event, lists]) => [event, [event.withRelations(lists)]] as const),
  ])
}

/**
 * Events that must not be written before the COMMIT: those of rows that are deleted and whose lists changed. A deletion shows the list that
 * the row had, and no later event can.
 */
export function waitingForLists(events: readonly PendingEvent[]): ReadonlySet<PendingEvent> {
  const rows = toldRows(touchedRows(junctionChanges(events)), events)
  return new Set(rows.flatMap(({ told }) => (told.some(({ isDeletion }) => isDeletion) ? told : [])))
}

export function junctionChanges(events: readonly PendingEvent[]): JunctionChange[] {
  return events.filter((event) => event instanceof JunctionChange)
}

/**
 * The one event of the row that tells the change of its list: its creation, else its deletion, else its first update. Those before it
 * show the list as it was, those after it as it is.
 */
function shares({ told, lists }: ListedRow): [CapturedChange, RelationLists][] {
  const actions = told.filter(({ transition }) => !transition).map(({ action }) => action)
  const created = actions.indexOf("create")
  const target = created >= 0 ? created : Math.max(actions.lastIndexOf("delete"), 0)
  const { before, after } = lists
  let at = -1
  return told.map((event) => {
    // A transition is the update before it under another name.
    if (!event.transition) at++
    return [event, { ...lists, before: at <= target ? before : after, after: at < target ? before : after }]
  })
}

/** One for each row, whatever number of its lists changed, where the first of these did. */
function updatesByFirst(
  rows: readonly ListedRow[],
  source: BatchSource,
): ReadonlyMap<JunctionChange, readonly CapturedChange[]> {
  const byRow = new Map<string, ListedRow[]>()
  for (const row of rows) {
    const { entity } = row.relation
    const key = textOfKey([entity.tableName, ...entity.primary.map((index) => row.found?.image[index] ?? null)])
    byRow.set(key, [...(byRow.get(key) ?? []), row])
  }
  const updates = new Map<JunctionChange, CapturedChange[]>()
  for (const group of byRow.values()) {
    const [first] = group as [ListedRow]
    if (!first.found) continue
    const lists = group.map((row) => row.lists)
    const update = relatedRow(source.batchOf(first, first.found), first.found.image, lists)
    if (update) updates.set(first.first, [...(updates.get(first.first) ?? []), update])
  }
  return updates
}
