import { isDeepStrictEqual } from "node:util"
import type { DataSource } from "typeorm"
import type { RowText } from "./ground-truth"
import { rowReload } from "./reload"
import { withClient } from "./with-client"

type Row = Readonly<Record<string, unknown>>

/** What a consumer reads of an event. */
export interface StoredEvent {
  readonly action: string
  readonly model: string
  readonly prechange: Row | null
  readonly postchange: Row | null
  readonly differences: { readonly added: unknown; readonly removed: unknown }
}

export interface EventStoreOptions {
  /** Whether an update's whole record is taken over, or only what it says has changed. */
  readonly takes: "records" | "differences"
}

/** No difference by themselves: an update of nothing else makes no event. */
const UNTOLD = ["updatedAt", "version"]

/**
 * A consumer that knows of the database only what events tell, and does not believe them: what an event says was there before must be
 * what it has. A soft-deleted row is none.
 */
export class EventStore {
  readonly faults: string[] = []
  private readonly rows = new Map<string, Row>()

  constructor(private readonly options: EventStoreOptions) {}

  get size(): number {
    return this.rows.size
  }

  apply(event: StoredEvent): void {
    const { model, prechange, postchange } = event
    const before = prechange && this.rows.get(keyOf(model, prechange))
    if (prechange && isVisible(prechange)) this.check(event, before ?? undefined)
    if (!prechange && this.rows.has(keyOf(model, postchange as Row))) this.faults.push(`made twice: ${text(event)}`)
    if (prechange) this.rows.delete(keyOf(model, prechange))
    if (postchange && isVisible(postchange)) this.rows.set(keyOf(model, postchange), this.after(event, before ?? {}))
  }

  /** What differs from the tables, row by row; empty: nothing. */
  async compare(dataSource: DataSource, url: string): Promise<readonly string[]> {
    const tables = await tableRows(dataSource, url)
    const keys = new Set([...tables.keys(), ...this.rows.keys()])
    return [...keys].flatMap((key) => {
      const [told, real] = [toldOf(this.rows.get(key)), toldOf(tables.get(key))]
      return isDeepStrictEqual(told, real) ? [] : [`${key}: told ${JSON.stringify(told)}, is ${JSON.stringify(real)}`]
    })
  }

  private after({ prechange, postchange, differences }: StoredEvent, before: Row): Row {
    const isPartial = this.options.takes === "differences" && prechange !== null && Object.keys(before).length > 0
    return { tags: [], ...before, ...(isPartial ? (differences.added as Row) : postchange) }
  }

  private check(event: StoredEvent, before: Row | undefined): void {
    if (!before) return void this.faults.push(`not there before: ${text(event)}`)
    const { prechange, differences, action } = event
    const isPartial = this.options.takes === "differences" && action === "update"
    const said = isPartial ? (differences.removed as Row) : (prechange as Row)
    const wrong = Object.keys(said).filter(
      (name) => !UNTOLD.includes(name) && !isDeepStrictEqual(said[name], before[name]),
    )
    if (wrong.length > 0)
      this.faults.push(`not so before (${wrong.join()}): ${text(event)}, was ${JSON.stringify(before)}`)
  }
}

function toldOf(row: Row | undefined): Row | undefined {
  if (!row) return undefined
  return { tags: [], ...row, ...Object.fromEntries(UNTOLD.map((name) => [name, null])) }
}

function isVisible(row: Row): boolean {
  return (row["deletedAt"] ?? null) === null
}

/** A shelf has a code, and the row of a closure table nothing else than its key. */
function keyOf(model: string, row: Row): string {
  return `${model} ${String(row["id"] ?? row["code"] ?? JSON.stringify(row))}`
}

function text(event: StoredEvent): string {
  return JSON.stringify(event)
}

const TOLD: readonly string[] = ["regular", "closure-junction"]

/** All rows that are not soft-deleted, as a reload shows them, with the keys that their many-to-many relations list. */
async function tableRows(dataSource: DataSource, url: string): Promise<ReadonlyMap<string, Row>> {
  const reload = await rowReload(dataSource)
  const rows = new Map<string, Row>()
  for (const metadata of dataSource.entityMetadatas.filter(({ tableType }) => TOLD.includes(tableType))) {
    const texts = await rowTexts(url, `"${metadata.schema}"."${metadata.tableName}"`)
    const lists = await listsOf(dataSource, metadata)
    for (const row of texts.map((each) => reload(metadata, each)).filter(isVisible)) {
      rows.set(keyOf(metadata.name.toLowerCase(), row), { ...row, ...lists(row["id"]) })
    }
  }
  return rows
}

/** As the server sends them: a cast to text gives other texts for some types. */
function rowTexts(url: string, table: string): Promise<RowText[]> {
  return withClient(url, async (client) => {
    const types = { getTypeParser: () => (text: string | Buffer) => text }
    return (await client.query<RowText>({ text: `SELECT * FROM ${table}`, types } as never)).rows
  })
}

type Metadata = DataSource["entityMetadatas"][number]

async function listsOf(dataSource: DataSource, { manyToManyRelations }: Metadata): Promise<(id: unknown) => Row> {
  const lists: Record<string, Map<string, string[]>> = {}
  for (const { propertyName, junctionEntityMetadata } of manyToManyRelations.filter(({ isOwning }) => isOwning)) {
    const { schema, tableName, ownerColumns, inverseColumns } = junctionEntityMetadata as Metadata
    const pairs = await dataSource.query<{ own: string; other: string }[]>(
      `SELECT "${ownerColumns[0]?.databaseName}"::text AS own, "${inverseColumns[0]?.databaseName}"::text AS other
       FROM "${schema}"."${tableName}" ORDER BY "${inverseColumns[0]?.databaseName}"::text COLLATE "C"`,
    )
    const byOwner = new Map<string, string[]>()
    for (const { own, other } of pairs) byOwner.set(own, [...(byOwner.get(own) ?? []), other])
    lists[propertyName] = byOwner
  }
  return (id) =>
    Object.fromEntries(Object.entries(lists).map(([name, byOwner]) => [name, byOwner.get(String(id)) ?? []]))
}
