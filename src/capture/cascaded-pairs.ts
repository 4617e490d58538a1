import type { TrackedTable } from "./capture"
import { rowsOfKeysText, type KeyTexts } from "./cascade-sql"
import type { DriverField } from "./driver-connection"
import type { RowImage, RowPair } from "./row-image"
import { ReadingRefused, type RunText } from "./run-texts"
import { textOfKey } from "./touched-row"

/** A row that the server is about to delete or to change by itself, as it was. */
export interface CascadedRow {
  readonly image: RowImage
  /** Positions of the key's columns that come to hold something else, and what. */
  readonly moved: ReadonlyMap<number, string>
}

/** Those of one table. */
export interface CascadedRows {
  readonly table: TrackedTable
  readonly fields: readonly DriverField[]
  readonly rows: readonly CascadedRow[]
}

/** The same with what became of them. */
export interface CascadedPairs {
  readonly table: TrackedTable
  readonly fields: readonly DriverField[]
  readonly pairs: readonly RowPair[]
}

/**
 * What became of the rows: gone, changed, or neither, where the foreign key did nothing after all.
 *
 * @throws ReadingRefused for a row that has another key by now than was thought
 */
export async function cascadedPairs(run: RunText, tables: readonly CascadedRows[]): Promise<readonly CascadedPairs[]> {
  const texts = tables.map(({ table, rows }) =>
    rowsOfKeysText(
      table.entity,
      rows.map((row) => keyOf(table, row)),
    ),
  )
  const results = await run(texts.join(";\n"))
  return tables.map((cascaded, index) => pairsOf(cascaded, results[index]?.rows as RowImage[]))
}

function keyOf({ entity }: TrackedTable, { image, moved }: CascadedRow): KeyTexts {
  return entity.primary.map((index) => moved.get(index) ?? (image[index] as string))
}

function pairsOf({ table, fields, rows }: CascadedRows, remaining: readonly RowImage[]): CascadedPairs {
  const maps = new Map<string, ReadonlyMap<string, RowImage>>()
  const pairs = rows.map(({ image, moved }) => {
    const places = [...moved.keys()]
    const name = places.join()
    const byKey = maps.get(name) ?? new Map(remaining.map((row) => [textOfRow(table, row, places), row]))
    maps.set(name, byKey)
    const after = byKey.get(textOfRow(table, image, places))
    if (!after && places.length > 0) throw new ReadingRefused("a row that it gave another key was not found again")
    return { before: image, after }
  })
  return { table, fields, pairs }
}

/** The row's key as one text, without those of its columns: the server may write a new value otherwise than it was given. */
export function textOfRow(
  { entity }: Pick<TrackedTable, "entity">,
  row: RowImage,
  without: readonly number[] = [],
): string {
  return textOfKey(entity.primary.map((index) => (without.includes(index) ? null : (row[index] ?? null))))
}
