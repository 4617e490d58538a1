import type { CapturedStatement } from "./captured-statement"
import { textOfRow, type CascadedRow, type CascadedRows } from "./cascaded-pairs"
import type { RowImage } from "./row-image"
import { rowPairs, type StatementRows } from "./statement-rows"

/** What a statement made of its rows, by their keys before it; undefined: it deleted them. */
export type OwnRows = ReadonlyMap<string, RowImage | undefined>

export function ownRows(statement: CapturedStatement, { images }: StatementRows): OwnRows {
  return new Map(rowPairs(statement, images).map(({ before = [], after }) => [textOfRow(statement, before), after]))
}

/** What foreign keys lead to, without what the statement deleted itself. What it changed is as it left it: that is told already. */
export function cascadedBehind(
  found: readonly CascadedRows[],
  { entity }: CapturedStatement,
  own: OwnRows,
): readonly CascadedRows[] {
  return found
    .map((each) =>
      each.table.entity === entity ? { ...each, rows: each.rows.flatMap((row) => rowBehind(each, row, own)) } : each,
    )
    .filter(({ rows }) => rows.length > 0)
}

function rowBehind({ table }: CascadedRows, row: CascadedRow, own: OwnRows): CascadedRow | [] {
  const key = textOfRow(table, row.image)
  if (!own.has(key)) return row
  const image = own.get(key)
  return image ? { ...row, image } : []
}
