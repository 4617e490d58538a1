import type { Capture } from "./capture"
import type { CapturedStatement } from "./captured-statement"
import { rowPairs, type StatementRows } from "./statement-rows"

/**
 * Why what foreign keys do behind an upsert is untold; undefined: they do nothing. Which rows it meets is known only once it has met
 * them, so that what points to them could not be read before.
 */
export function untoldBehind(statement: CapturedStatement, rows: StatementRows, capture: Capture): string | undefined {
  if (statement.kind !== "upsert") return undefined
  const { metadata, columns } = statement.entity
  const referenced = new Set(capture.actionsOn(metadata, "onUpdate").flatMap((action) => action.referenced))
  if (referenced.size === 0) return undefined
  const indexes = columns.flatMap(({ databaseName }, index) => (referenced.has(databaseName) ? [index] : []))
  const changed = rowPairs(statement, rows.images).filter(
    ({ before, after }) => before && after && indexes.some((index) => before[index] !== after[index]),
  )
  if (changed.length === 0) return undefined
  return `what its foreign keys do, if anything, could not be read: an upsert gave ${changed.length} of its rows another key`
}
