import type { PendingEvent } from "../events/sink"
import { CapturedChange } from "./captured-change"
import type { RelationLists } from "./relation-list"
import { relatedRow, rowChanges } from "./row-changes"
import type { Replacements } from "./unwritten-events"

/** The changes of one row in one transaction, in their order, and the events that tell them: updates by several names. */
interface RowStory {
  readonly changes: CapturedChange[]
  readonly events: CapturedChange[]
}

/**
 * One event for each row and transaction, of what became of it in the end: create and update are a create, create and delete nothing,
 * delete and create of the same key an update, there and back nothing. A create stands where the row was made, so that those of the rows
 * that point to it come behind it; all else where the row's last change did.
 */
export function netChanges(events: readonly PendingEvent[]): Replacements {
  const replacements = new Map<PendingEvent, readonly PendingEvent[]>()
  for (const story of rowStories(events).filter(({ changes }) => changes.length > 1)) {
    const [first] = story.changes as [CapturedChange]
    const last = story.changes.at(-1) as CapturedChange
    for (const event of story.events) replacements.set(event, [])
    replacements.set(first.before || !last.after ? last : first, netChange(story.changes))
  }
  return replacements
}

/** By the key that a row has at the time: an update may change it, and another row take it. */
function rowStories(events: readonly PendingEvent[]): RowStory[] {
  const stories: RowStory[] = []
  const byKey = new Map<string, RowStory>()
  for (const event of events) {
    if (!(event instanceof CapturedChange)) continue
    const [after, before = after] = event.textsAt(event.batch.entity.primary).map((key) => textOf(event, key))
    if (event.transition) {
      byKey.get(after as string)?.events.push(event)
      continue
    }
    const story = byKey.get(before as string) ?? { changes: [], events: [] }
    if (story.changes.length === 0) stories.push(story)
    story.changes.push(event)
    story.events.push(event)
    byKey.delete(before as string)
    byKey.set(after as string, story)
  }
  return stories
}

function textOf({ batch }: CapturedChange, key: readonly (string | null)[]): string {
  return JSON.stringify([batch.entity.tableName, ...key])
}

/** By the context and time of the last change. */
function netChange(changes: readonly CapturedChange[]): readonly CapturedChange[] {
  const [first, last] = [changes[0] as CapturedChange, changes.at(-1) as CapturedChange]
  const { before } = first
  const { after } = last
  const lists = netLists(changes)
  const [change, ...others] = rowChanges(last.batch, { before, after })
  if (change) return [lists.length > 0 ? change.withRelations(lists) : change, ...others]
  const related = before && after && lists.length > 0 ? relatedRow(last.batch, after, lists) : undefined
  return related ? [related] : []
}

/** What each relation listed before the first change that shows it, and after the last. */
function netLists(changes: readonly CapturedChange[]): RelationLists[] {
  const lists = new Map<RelationLists["relation"], RelationLists>()
  for (const each of changes.flatMap(({ relations }) => relations)) {
    lists.set(each.relation, { ...each, before: lists.get(each.relation)?.before ?? each.before })
  }
  return [...lists.values()]
}
