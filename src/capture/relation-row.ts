import type { LogRow, StatementBody } from "../events/log-row"
import type { Capture } from "./capture"
import type { CapturedChange, ChangeBatch } from "./captured-change"
import { parseComposite } from "./image-sql"
import type { ListedKey } from "./relation-list"
import { relatedRow } from "./row-changes"
import { textParser } from "./text-parser"
import type { TrackedRelation } from "./tracked-relation"

type RelationBody = StatementBody & Required<Pick<StatementBody, "relation">>

/**
 * The update of a row whose list in a many-to-many relation triggers wrote into the change log.
 *
 * @throws when the relation is captured no longer
 */
export function relationUpdate(
  capture: Capture,
  batch: ChangeBatch,
  { relation: named, columns }: RelationBody,
  { oldRow, newRow }: LogRow,
): readonly CapturedChange[] {
  const junction = capture.tableNamed(named.junction)?.junction
  const relation = junction?.relations.find((each) => each.entity === batch.entity && pathOf(each) === named.path)
  if (!junction || !relation) throw new Error(`the relation ${named.path} is not captured here`)
  const before = parseComposite(oldRow ?? "()")
  const after = parseComposite(newRow ?? "()")
  if (after.length !== columns.length + 1) throw new Error("the row has another number of columns than its statement")
  const byName = new Map(columns.map((name, index) => [name, after[index] ?? null]))
  const types = capture.typesOf(junction.entity) ?? []
  const parsers = junction.entity.columns.map((_, index) => textParser(capture.dataSource, types[index] ?? 0))
  const lists = { relation, before: listed(before.at(-1)), after: listed(after.at(-1)), parsers }
  const row = batch.entity.columns.map((column) => byName.get(column.databaseName) ?? null)
  const update = relatedRow(batch, row, [lists])
  return update ? [update] : []
}

export const pathOf = ({ path }: Pick<TrackedRelation, "path">): string => path.join(".")

function listed(text: string | null | undefined): readonly ListedKey[] {
  return JSON.parse(text ?? "[]") as readonly ListedKey[]
}
