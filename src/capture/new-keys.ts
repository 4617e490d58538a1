import type { ObjectLiteral } from "typeorm"
import type { ForeignKeyAction } from "./foreign-key-actions"

/** Columns that come to hold something else, by their names in the database: its text, undefined where that is not known beforehand. */
export type NewTexts = ReadonlyMap<string, string | undefined>

export const NO_TEXTS: NewTexts = new Map()

/** What an UPDATE gives the columns that others point to. */
export function newKeys(set: unknown, actions: readonly ForeignKeyAction[]): NewTexts {
  const texts = new Map<string, string | undefined>()
  for (const column of actions.flatMap(({ referencedColumns }) => referencedColumns)) {
    const value = column.getEntityValue(set as ObjectLiteral) as unknown
    if (value === undefined) continue
    const isText = ["string", "number", "bigint"].includes(typeof value) && !column.transformer
    texts.set(column.databaseName, isText ? String(value) : undefined)
  }
  return texts
}

/** Those that an UPDATE of these columns may set off. */
export function actionsOnKeys(actions: readonly ForeignKeyAction[], texts: NewTexts): readonly ForeignKeyAction[] {
  return texts.size === 0 ? [] : actions.filter(({ referenced }) => referenced.some((name) => texts.has(name)))
}

/** What the rows that point there come to hold where they do. */
export function followingTexts({ columns, referenced, follows }: ForeignKeyAction, texts: NewTexts): NewTexts {
  if (!follows) return new Map(columns.map((name) => [name, undefined]))
  const moved = columns.flatMap((name, index) => {
    const of = referenced[index] as string
    return texts.has(of) ? [[name, texts.get(of)] as const] : []
  })
  return new Map(moved)
}
