import type { EntityMetadata } from "typeorm"
import type { TrackedTable } from "./capture"
import { pointingRowsText, type KeyTexts, type WantedRows } from "./cascade-sql"
import { textOfRow, type CascadedRows } from "./cascaded-pairs"
import type { DriverField, DriverResult } from "./driver-connection"
import type { ForeignKeyAction } from "./foreign-key-actions"
import { actionsOnKeys, followingTexts, NO_TEXTS, type NewTexts } from "./new-keys"
import type { RowImage } from "./row-image"
import { ReadingRefused, type RunText } from "./run-texts"

export interface CascadeOptions {
  readonly actionsOn: (metadata: EntityMetadata, event: "onDelete" | "onUpdate") => readonly ForeignKeyAction[]
  /** More rows than this are not brought here. */
  readonly maxRows: number
}

interface FoundRow {
  readonly image: RowImage
  readonly moved: Map<number, string>
  /** The actions by which it was found: what points to it is asked for once by each. */
  readonly by: Set<ForeignKeyAction>
}

interface FoundTable {
  readonly table: TrackedTable
  readonly fields: readonly DriverField[]
  readonly rows: Map<string, FoundRow>
}

/** Follows the foreign keys from rows that are about to be deleted, or to get another key, level by level, and locks what they lead to. */
export class CascadeReader {
  private readonly found = new Map<TrackedTable, FoundTable>()
  private count = 0

  constructor(
    private readonly run: RunText,
    private readonly options: CascadeOptions,
  ) {}

  /** `before`: texts that go first. @throws ReadingRefused, or the server's error */
  async read(wanted: readonly WantedRows[], before: readonly string[] = []): Promise<readonly CascadedRows[]> {
    let first = before
    for (let level = wanted.filter(isAny); level.length > 0; first = []) {
      const texts = level.map((each) =>
        pointingRowsText(each, referencedColumns(this.next(each)), this.options.maxRows),
      )
      const results = (await this.run([...first, ...texts].join(";\n"))).slice(first.length)
      level = level.flatMap((each, index) => this.take(each, results[index] as DriverResult)).filter(isAny)
    }
    const found = [...this.found.values()].filter(({ rows }) => rows.size > 0)
    return found.map(({ table, fields, rows }) => ({ table, fields, rows: [...rows.values()] }))
  }

  /** What points to the rows that were found, if they will be deleted or get another key. */
  private take(wanted: WantedRows, { rows, fields }: DriverResult): WantedRows[] {
    const { action } = wanted
    const { table } = action
    const width = table.entity.columns.length
    const found = this.found.get(table) ?? { table, fields: fields.slice(0, width), rows: new Map<string, FoundRow>() }
    this.found.set(table, found)
    const moved = action.deletes || rows.length === 0 ? NO_MOVES : movedKey(wanted)
    const fresh: RowImage[] = []
    for (const row of rows as RowImage[]) {
      const known = this.add(found, row.slice(0, width), moved)
      // With a cycle of keys it is met again.
      if (known.by.has(action)) continue
      known.by.add(action)
      fresh.push(row.slice(width))
    }
    return wantedRows(this.next(wanted), fresh, this.textsBehind(wanted))
  }

  private add({ table, rows }: FoundTable, image: RowImage, moved: ReadonlyMap<number, string>): FoundRow {
    const key = textOfRow(table, image)
    const known = rows.get(key) ?? { image, moved: new Map<number, string>(), by: new Set<ForeignKeyAction>() }
    if (!rows.has(key) && ++this.count > this.options.maxRows) throw tooMany(this.options.maxRows)
    rows.set(key, known)
    for (const [index, text] of moved) known.moved.set(index, text)
    return known
  }

  /** What is done next, to rows that point to those that the wanted rows are. */
  private next(wanted: WantedRows): readonly ForeignKeyAction[] {
    const { table, deletes } = wanted.action
    const { metadata } = table.entity
    if (deletes) return this.options.actionsOn(metadata, "onDelete")
    return actionsOnKeys(this.options.actionsOn(metadata, "onUpdate"), this.textsBehind(wanted))
  }

  private textsBehind({ action, texts }: WantedRows): NewTexts {
    return action.deletes ? NO_TEXTS : followingTexts(action, texts)
  }
}

const NO_MOVES: ReadonlyMap<number, string> = new Map()

/** What of the rows' own key changes. @throws ReadingRefused where they could not be found again by it */
function movedKey({ action, texts }: WantedRows): ReadonlyMap<number, string> {
  const { columns, primary } = action.table.entity
  const following = followingTexts(action, texts)
  const moved = primary.filter((index) => following.has(columns[index]?.databaseName ?? ""))
  return new Map(
    moved.map((index) => {
      const text = following.get(columns[index]?.databaseName as string)
      if (text === undefined) throw new ReadingRefused("the new key of rows that point there is not known beforehand")
      return [index, text]
    }),
  )
}

/** The columns that any of the foreign keys point to. */
export function referencedColumns(actions: readonly ForeignKeyAction[]): readonly string[] {
  return [...new Set(actions.flatMap(({ referenced }) => referenced))]
}

/** What points to rows of which the columns of `referencedColumns` are known. */
export function wantedRows(
  actions: readonly ForeignKeyAction[],
  rows: readonly RowImage[],
  texts: NewTexts = NO_TEXTS,
): WantedRows[] {
  const columns = referencedColumns(actions)
  return actions.map((action) => {
    const positions = action.referenced.map((name) => columns.indexOf(name))
    const keys = rows.map((row) => positions.map((index) => row[index] ?? null))
    const whole = keys.filter((key): key is string[] => !key.includes(null))
    return { action, keys: whole.filter((key) => !isKept(action, key, texts)), texts }
  })
}

/** Whether an UPDATE gives the key what it holds already. */
function isKept({ referenced }: ForeignKeyAction, key: KeyTexts, texts: NewTexts): boolean {
  return texts.size > 0 && referenced.every((name, index) => !texts.has(name) || texts.get(name) === key[index])
}

export function tooMany(maxRows: number): ReadingRefused {
  return new ReadingRefused(`its foreign keys lead to more than ${maxRows} rows`)
}

export function isAny({ keys }: WantedRows): boolean {
  return keys.length > 0
}
