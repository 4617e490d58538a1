import { createHash } from "node:crypto"
import type { OutgoingEvent } from "../events/change-event"
import type { LogRow, StatementBody } from "../events/log-row"
import type { PendingEvent } from "../events/sink"
import type { Capture } from "./capture"
import type { ChangeBatch } from "./captured-change"
import { relationUpdate } from "./relation-row"
import type { RowImage } from "./row-image"
import { parseComposite } from "./image-sql"
import type { StatementKind } from "./captured-statement"
import { toldContext } from "../context/told-context"
import type { TrackedEntity } from "./tracked-entity"
import { changesOf } from "./statement-rows"
import { textParser } from "./text-parser"

/**
 * The events of a row that the server wrote into the change log by itself.
 *
 * @throws when the entity is unknown or captured no longer, or a value cannot be read
 */
export function readStatementRow(capture: Capture, row: LogRow, origin: string): readonly OutgoingEvent[] {
  const body = JSON.parse(row.body ?? "null") as StatementBody
  const table = capture.tableNamed(body.entity)
  if (!table) throw new Error(`the entity ${body.entity} is not captured here`)
  const { entity, sql } = table
  const batch = batchOf(capture, entity, { body, row, origin })
  if (body.relation) return resolved(relationUpdate(capture, batch, { ...body, relation: body.relation }, row))
  const kind = kindOf(body, row)
  const hasOldImage = kind !== "upsert" || sql.hasReturningOld
  const old = image(row.oldRow, entity, body)
  const after = image(row.newRow, entity, body)
  const statement = { entity, sql, kind, overwritesKey: body.overwritesKey ?? false }
  const rows = hasOldImage
    ? [...(old ?? empty(entity, body, row.newRow)), ...(after ?? [])]
    : [...(after ?? []), row.oldRow]
  return resolved(changesOf(statement, [rows], batch))
}

function resolved(changes: readonly PendingEvent[]): readonly OutgoingEvent[] {
  return changes.flatMap((change) => (change.isInternal ? [] : (change.resolve() ?? [])))
}

function kindOf({ kind }: StatementBody, { oldRow, newRow }: LogRow): StatementKind {
  if (kind !== "trigger") return kind
  if (oldRow === null) return "insert"
  return newRow === null ? "delete" : "update"
}

/** An insert has no old row, and an upsert of a new row one of nulls. */
function empty(entity: TrackedEntity, { kind }: StatementBody, newRow: string | null): RowImage {
  return kind === "upsert" && newRow !== null ? entity.columns.map(() => null) : []
}

function image(text: string | null, entity: TrackedEntity, { columns }: StatementBody): RowImage | undefined {
  if (text === null) return undefined
  const values = parseComposite(text)
  if (values.length !== columns.length) throw new Error("the row has another number of columns than its statement")
  const byName = new Map(columns.map((name, index) => [name, values[index] ?? null]))
  return entity.columns.map((column) => byName.get(column.databaseName) ?? null)
}

interface LoggedRow {
  readonly body: StatementBody
  readonly row: LogRow
  readonly origin: string
}

function batchOf(capture: Capture, entity: TrackedEntity, { body, row, origin }: LoggedRow): ChangeBatch {
  const known = capture.typesOf(entity) ?? []
  const types = new Map(body.columns.map((name, index) => [name, body.types[index]]))
  let count = 0
  return {
    entity,
    context: (body.told && toldContext(body.told)) || body.context,
    occurredAt: row.writtenAt,
    parsers: entity.columns.map((column, index) =>
      textParser(capture.dataSource, types.get(column.databaseName) || known[index] || 0),
    ),
    reader: { ...capture.reader, isHidden: body.kind === "trigger" ? "mask" : true },
    emitUnchanged: capture.environment.options.emitUnchanged ?? false,
    nextId: () => rowEventId(row, origin, count++),
  }
}

/** A UUID version 7 of the row's time whose random part is made of where the row stands, so that it is the same each time. */
function rowEventId({ id, writtenAt }: LogRow, origin: string, index: number): string {
  const time = writtenAt.getTime().toString(16).padStart(12, "0")
  const hash = createHash("sha256").update(`${origin}/${id}/${index}`).digest("hex")
  const variant = (8 + (Number.parseInt(hash[3] as string, 16) & 3)).toString(16)
  return `${time.slice(0, 8)}-${time.slice(8)}-7${hash.slice(0, 3)}-${variant}${hash.slice(4, 7)}-${hash.slice(7, 19)}`
}
