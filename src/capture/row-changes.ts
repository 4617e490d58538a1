import { CapturedChange, readColumn, variantOf, type ChangeBatch, type PreviousTexts } from "./captured-change"
import type { RelationLists } from "./relation-list"
import type { RowImage, RowPair } from "./row-image"
import type { Transition } from "./transitions"

/** What the two images of a row tell: its creation, its deletion, or its update and the names that this has. */
export function rowChanges(batch: ChangeBatch, { before, after }: RowPair): readonly CapturedChange[] {
  if (before && after) return updates(batch, before, after)
  const change = after ? createdRow(batch, after) : before && deletedRow(batch, before)
  return change ? [change] : []
}

function createdRow(batch: ChangeBatch, after: RowImage, isSoft = false): CapturedChange | undefined {
  if (!variantOf(batch.entity, after).isWanted) return undefined
  return new CapturedChange(batch, "create", after, { isSoft })
}

function deletedRow(batch: ChangeBatch, before: RowImage, isSoft = false): CapturedChange | undefined {
  if (!variantOf(batch.entity, before).isWanted) return undefined
  return new CapturedChange(batch, "delete", before, { isSoft })
}

/** The update of a row of which nothing differs but what its relations list. */
export function relatedRow(
  batch: ChangeBatch,
  row: RowImage,
  relations: readonly RelationLists[],
): CapturedChange | undefined {
  return variantOf(batch.entity, row).isWanted ? new CapturedChange(batch, "update", row, { relations }) : undefined
}

/** An update once more, under the name that its new value has by the entity's options. */
function transitionedRow(
  batch: ChangeBatch,
  before: RowImage,
  after: RowImage,
  transition: Transition,
): CapturedChange {
  const previous = previousTexts(before, after, batch.entity.columns.length)
  return new CapturedChange(batch, "update", after, { previous, transition })
}

function previousTexts(before: RowImage, after: RowImage, count: number): PreviousTexts {
  const previous: (number | string | null)[] = []
  for (let index = 0; index < count; index++) {
    const text = before[index] ?? null
    if (text !== (after[index] ?? null)) previous.push(index, text)
  }
  return previous
}

/** The change between two images; undefined when no column differs that counts. A soft-remove is a `delete`, a recover a `create`. */
function updatedRow(batch: ChangeBatch, before: RowImage, after: RowImage): CapturedChange | undefined {
  const { columns, deleteDate } = batch.entity
  if (!variantOf(batch.entity, after).isWanted) return undefined
  const previous = previousTexts(before, after, columns.length)
  if (deleteDate >= 0 && before[deleteDate] === null && after[deleteDate] !== null)
    return deletedRow(batch, before, true)
  if (deleteDate >= 0 && before[deleteDate] !== null && after[deleteDate] === null)
    return createdRow(batch, after, true)
  const differs = previous.some((at, index) => index % 2 === 0 && columns[at as number]?.countsAsDifference)
  return differs || batch.emitUnchanged ? new CapturedChange(batch, "update", after, { previous }) : undefined
}

/** The update, if it is one, and the names that it has. */
function updates(batch: ChangeBatch, before: RowImage, after: RowImage): readonly CapturedChange[] {
  const update = updatedRow(batch, before, after)
  if (!update) return []
  const named = batch.entity.transitions.filter((transition) => isTransition(batch, transition, before, after))
  return [update, ...named.map((transition) => transitionedRow(batch, before, after, transition))]
}

function isTransition(batch: ChangeBatch, { column, value }: Transition, before: RowImage, after: RowImage): boolean {
  const text = after[column] ?? null
  if (text === (before[column] ?? null)) return false
  return String(readColumn(batch, column, text)) === value
}
