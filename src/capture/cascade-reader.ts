import type { EntityMetadata } from "typeorm"
import type { TrackedTable } from "./capture"
import { pointingRowsText, remainingRowsText, type KeyTexts, type WantedRows } from "./cascade-sql"
import type { DriverField, DriverResult } from "./driver-connection"
import type { ForeignKeyAction } from "./foreign-key-actions"
import type { RowImage, RowPair } from "./row-image"
import { ReadingRefused, type RunText } from "./run-texts"

/** The rows of one table that the server is about to delete or to change by itself. */
export interface CascadedRows {
  readonly table: TrackedTable
  readonly fields: readonly DriverField[]
  readonly rows: readonly RowImage[]
}

/** The same with what became of them. */
export interface CascadedPairs {
  readonly table: TrackedTable
  readonly fields: readonly DriverField[]
  readonly pairs: readonly RowPair[]
}

export interface CascadeOptions {
  readonly actionsOn: (metadata: EntityMetadata) => readonly ForeignKeyAction[]
  /** More rows than this are not brought here. */
  readonly maxRows: number
}

interface FoundTable {
  readonly table: TrackedTable
  readonly fields: readonly DriverField[]
  readonly rows: Map<string, RowImage>
  /** Keys of rows whose own pointers were asked for. */
  readonly followed: Set<string>
}

/** Follows the foreign keys from rows that are about to be deleted, level by level, and locks what they lead to. */
export class CascadeReader {
  private readonly found = new Map<TrackedTable, FoundTable>()
  private count = 0

  constructor(
    private readonly run: RunText,
    private readonly options: CascadeOptions,
  ) {}

  /** @throws ReadingRefused, or the server's error */
  async read(wanted: readonly WantedRows[]): Promise<readonly CascadedRows[]> {
    for (let level = wanted.filter(isAny); level.length > 0;) {
      const texts = level.map((each) => pointingRowsText(each, this.referencedBy(each), this.options.maxRows))
      const results = await this.run(texts.join(";\n"))
      level = level.flatMap((each, index) => this.take(each, results[index] as DriverResult)).filter(isAny)
    }
    const found = [...this.found.values()].filter(({ rows }) => rows.size > 0)
    return found.map(({ table, fields, rows }) => ({ table, fields, rows: [...rows.values()] }))
  }

  /** What points to the rows that were found, if they will be deleted. */
  private take({ action }: WantedRows, { rows, fields }: DriverResult): WantedRows[] {
    const { table } = action
    const width = table.entity.columns.length
    const found = this.found.get(table) ?? {
      table,
      fields: fields.slice(0, width),
      rows: new Map(),
      followed: new Set(),
    }
    this.found.set(table, found)
    const fresh: RowImage[] = []
    for (const row of rows as RowImage[]) {
      const key = textOfRow(table, row)
      if (!found.rows.has(key)) this.count++
      found.rows.set(key, row.slice(0, width))
      if (!action.deletes || found.followed.has(key)) continue
      found.followed.add(key)
      fresh.push(row.slice(width))
    }
    if (this.count > this.options.maxRows) throw tooMany(this.options.maxRows)
    return action.deletes ? this.next(table, fresh) : []
  }

  private next(table: TrackedTable, rows: readonly RowImage[]): WantedRows[] {
    const actions = this.options.actionsOn(table.entity.metadata)
    return wantedRows(actions, rows)
  }

  private referencedBy({ action }: WantedRows): readonly string[] {
    return action.deletes ? referencedColumns(this.options.actionsOn(action.table.entity.metadata)) : []
  }
}

/** The columns that any of the foreign keys point to. */
export function referencedColumns(actions: readonly ForeignKeyAction[]): readonly string[] {
  return [...new Set(actions.flatMap(({ referenced }) => referenced))]
}

/** What points to rows of which the columns of `referencedColumns` are known. */
export function wantedRows(actions: readonly ForeignKeyAction[], rows: readonly RowImage[]): WantedRows[] {
  const columns = referencedColumns(actions)
  return actions.map((action) => {
    const positions = action.referenced.map((name) => columns.indexOf(name))
    const keys = rows.map((row) => positions.map((index) => row[index] ?? null))
    return { action, keys: keys.filter((key): key is string[] => !key.includes(null)) as readonly KeyTexts[] }
  })
}

/** What became of the rows: gone, changed, or neither, where the foreign key did nothing after all. */
export async function cascadedPairs(run: RunText, tables: readonly CascadedRows[]): Promise<readonly CascadedPairs[]> {
  const results = await run(tables.map(({ table, rows }) => remainingRowsText(table.entity, rows)).join(";\n"))
  return tables.map(({ table, fields, rows }, index) => {
    const remaining = results[index]?.rows as RowImage[]
    const byKey = new Map(remaining.map((row) => [textOfRow(table, row), row]))
    return { table, fields, pairs: rows.map((before) => ({ before, after: byKey.get(textOfRow(table, before)) })) }
  })
}

export function tooMany(maxRows: number): ReadingRefused {
  return new ReadingRefused(`its foreign keys lead to more than ${maxRows} rows`)
}

function isAny({ keys }: WantedRows): boolean {
  return keys.length > 0
}

function textOfRow({ entity }: TrackedTable, row: RowImage): string {
  return JSON.stringify(entity.primary.map((index) => row[index]))
}
