import type { DataSource, EntityMetadata } from "typeorm"
import { columnParsers } from "./column-parsers"
import type { RowChange, RowText } from "./ground-truth"
import { jsonReady } from "./json-ready"

type Relation = EntityMetadata["relations"][number]

/** What a transaction made of the list of one row. */
export interface ListChange {
  readonly transactionId: string
  /** Of the first junction row of it. */
  readonly id: number
  readonly relation: Relation
  /** The owner's columns that the junction points to. */
  readonly key: RowText
  readonly before: readonly unknown[]
  readonly after: readonly unknown[]
}

export type RelationSide = "owner" | "both"

interface Side {
  readonly relation: Relation
  readonly own: EntityMetadata["columns"]
  readonly other: EntityMetadata["columns"]
}

/**
 * The oracle for lists. It goes back from what the junctions hold now, through what the triggers saw, so `changes` must be all there
 * were since some moment, and no transaction may have run beside another.
 */
export async function relationHistory(
  dataSource: DataSource,
  changes: readonly RowChange[],
  sides: RelationSide = "owner",
): Promise<readonly ListChange[]> {
  const parserOf = await columnParsers(dataSource)
  const history: ListChange[] = []
  for (const junction of dataSource.entityMetadatas.filter(({ tableType }) => tableType === "junction")) {
    const rows = changes.filter((row) => `${row.schema}.${row.table}` === junction.tablePath)
    if (rows.length === 0) continue
    const states = statesOf(await rowsOf(dataSource, junction), rows)
    for (const side of sidesOf(dataSource, junction).filter(({ relation }) => relation.isOwning || sides === "both")) {
      const show = (list: readonly RowText[]): unknown[] => list.map((row) => shown(row)).sort(compare)
      const shown = (row: RowText): unknown => {
        const parts = side.other.map((column) => {
          const referenced = column.referencedColumn as EntityMetadata["columns"][number]
          const value = parserOf(junction, column.databaseName)(row[column.databaseName] as string)
          return [referenced.propertyName, jsonReady(dataSource.driver.prepareHydratedValue(value, referenced))]
        })
        return parts.length === 1 ? parts[0]?.[1] : Object.fromEntries(parts)
      }
      history.push(
        ...listChanges(side, rows, states).map((each) => ({
          ...each,
          before: show(each.before),
          after: show(each.after),
        })),
      )
    }
  }
  return history.sort((one, another) => one.id - another.id)
}

function sidesOf(dataSource: DataSource, junction: EntityMetadata): Side[] {
  const relations = dataSource.entityMetadatas
    .filter(({ tableType }) => tableType === "regular")
    .flatMap(({ manyToManyRelations }) => manyToManyRelations)
    .filter((relation) => relation.junctionEntityMetadata === junction)
  return relations.map((relation) =>
    relation.isOwning
      ? { relation, own: junction.ownerColumns, other: junction.inverseColumns }
      : { relation, own: junction.inverseColumns, other: junction.ownerColumns },
  )
}

async function rowsOf(dataSource: DataSource, { tablePath }: EntityMetadata): Promise<RowText[]> {
  const table = tablePath
    .split(".")
    .map((part) => dataSource.driver.escape(part))
    .join(".")
  const rows = await dataSource.query<{ row: RowText }[]>(
    `SELECT public.hstore_to_jsonb(public.hstore(t)) AS row FROM ${table} t`,
  )
  return rows.map(({ row }) => row)
}

/** What the junction held before each change, and at last. */
function statesOf(now: readonly RowText[], changes: readonly RowChange[]): readonly (readonly RowText[])[] {
  const states = [now]
  for (const { before, after } of [...changes].reverse()) {
    const later = states[0] as readonly RowText[]
    const gone = after && textOf(after)
    const without = after ? later.filter((row) => textOf(row) !== gone) : later
    states.unshift(before ? [...without, before] : without)
  }
  return states
}

type RawChange = Omit<ListChange, "before" | "after"> & {
  readonly before: readonly RowText[]
  readonly after: readonly RowText[]
}

function listChanges(
  { relation, own }: Side,
  rows: readonly RowChange[],
  states: readonly (readonly RowText[])[],
): RawChange[] {
  const keyOf = (row: RowText): RowText =>
    Object.fromEntries(
      own.map((column) => [column.referencedColumn?.databaseName as string, row[column.databaseName] ?? null]),
    )
  const touched = new Map<string, { key: RowText; transactionId: string; first: number; last: number; id: number }>()
  rows.forEach(({ before, after, transactionId, id }, index) => {
    for (const row of [before, after]) {
      if (!row) continue
      const text = `${transactionId} ${textOf(keyOf(row))}`
      const known = touched.get(text) ?? { key: keyOf(row), transactionId, first: index, last: index, id }
      touched.set(text, { ...known, last: index })
    }
  })
  const listAt = (index: number, key: RowText): RowText[] => {
    const wanted = textOf(key)
    return (states[index] as readonly RowText[]).filter((row) => textOf(keyOf(row)) === wanted)
  }
  return [...touched.values()]
    .map(({ key, transactionId, first, last, id }) => {
      return { relation, key, transactionId, id, before: listAt(first, key), after: listAt(last + 1, key) }
    })
    .filter(({ before, after }) => before.map(textOf).sort().join() !== after.map(textOf).sort().join())
}

/** A list of a thousand rows is gone through a thousand times. */
const texts = new WeakMap<RowText, string>()

function textOf(row: RowText): string {
  const text = texts.get(row) ?? JSON.stringify(Object.entries(row).sort())
  texts.set(row, text)
  return text
}

/** Numbers by their value, also those that are text because JavaScript has none so large. */
function compare(one: unknown, another: unknown): number {
  if (typeof one === "object" && one && another) {
    const pairs = Object.values(one).map((part, index): [unknown, unknown] => [part, Object.values(another)[index]])
    return pairs.map(([left, right]) => compare(left, right)).find((order) => order !== 0) ?? 0
  }
  const [left, right] = [String(one), String(another)]
  if (/^\d+$/.test(left) && /^\d+$/.test(right)) return BigInt(left) < BigInt(right) ? -1 : left === right ? 0 : 1
  return left < right ? -1 : left > right ? 1 : 0
}
