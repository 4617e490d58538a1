import { readValue, type ImageColumn, type ValueParser, type ValueReader } from "./image-column"
import type { TrackedRelation } from "./tracked-relation"

/** The key of one listed row, as the server sent it. */
export type ListedKey = readonly string[]

/** What a relation listed before and after an event. */
export interface RelationLists {
  readonly relation: TrackedRelation
  readonly before: readonly ListedKey[]
  readonly after: readonly ListedKey[]
  /** Of the junction's columns. */
  readonly parsers: readonly ValueParser[]
}

/** What a record shows: the keys, sorted, each as a value, or as an object where it has several columns. */
export function shownList(
  { relation, parsers }: RelationLists,
  keys: readonly ListedKey[],
  reader: ValueReader,
): readonly unknown[] {
  const { shown, other } = relation
  const parts = (key: ListedKey): unknown[] =>
    shown.map((column, index) =>
      readValue(key[index] ?? null, column, parsers[other[index] as number] as ValueParser, reader),
    )
  const rows = keys.map(parts).sort((one, another) => compareParts(one, another, shown))
  if (shown.length === 1) return rows.map(([value]) => value)
  return rows.map((row) => Object.fromEntries(row.map((value, index) => [shown[index]?.path[0], value])))
}

/** Whether the lists differ in what they show the same of: masked keys. */
export function hidesDifference({ relation, before, after }: RelationLists): boolean {
  return relation.shown.some(({ sensitive }) => sensitive) && before !== after
}

const EXACT_NUMBERS = ["bigint", "int8", "numeric", "decimal"]

function compareParts(one: readonly unknown[], another: readonly unknown[], columns: readonly ImageColumn[]): number {
  for (const [index, column] of columns.entries()) {
    const order = compareValues(one[index], another[index], column)
    if (order !== 0) return order
  }
  return 0
}

/** Numbers by their value, all else by the code units of its text: the same on every server, whatever its collation. */
function compareValues(one: unknown, another: unknown, { hydratedAs, sensitive }: ImageColumn): number {
  const isNumber = typeof one === "number" || (!sensitive && EXACT_NUMBERS.includes(String(hydratedAs.type)))
  const difference = isNumber ? Number(one) - Number(another) : 0
  if (difference !== 0 && !Number.isNaN(difference)) return difference
  const [left, right] = [textOf(one), textOf(another)]
  return left < right ? -1 : left > right ? 1 : 0
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value)
}
