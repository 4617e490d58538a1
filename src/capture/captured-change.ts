import type { ChangeAction, ChangeEvent, ChangeRecord } from "../events/change-event"
import { differences, isUnchanged, type Differences } from "../events/differences"
import type { EventContext } from "../events/event-context"
import type { PendingEvent } from "../events/sink"
import { uuidv7 } from "../runtime/uuid"
import { keyText, readValue, type ImageColumn, type ValueParser, type ValueReader } from "./image-column"
import { packRow, unpackRow, type RowImage } from "./row-image"
import { hidesDifference, shownList, type RelationLists } from "./relation-list"
import type { EntityVariant, TrackedEntity } from "./tracked-entity"
import { transitionTopic, type Transition } from "./transitions"

/** What the changes of one statement share. */
export interface ChangeBatch {
  readonly entity: TrackedEntity
  readonly context: EventContext
  readonly occurredAt: Date
  readonly parsers: readonly ValueParser[]
  readonly reader: ValueReader
  readonly emitUnchanged: boolean
  /** Gives each event's id. Default: a new UUID version 7. */
  readonly nextId?: () => string
}

interface ChangeDetails {
  /** Default: a new one. */
  readonly id?: string
  /** Only of an update. */
  readonly previous?: PreviousTexts
  readonly transition?: Transition
  /** Whether the row itself stays: it is soft-deleted, or recovered. */
  readonly isSoft?: boolean
  /** The many-to-many relations that the transaction changed. */
  readonly relations?: readonly RelationLists[]
}

/** About what an event costs besides its values: the object, its id, the arrays. */
const OVERHEAD_BYTES = 300

/** Of the old row, what differs: position and text in turn. */
export type PreviousTexts = readonly (number | string | null)[]

/**
 * One changed row, kept as one text until somebody delivers it: a quarter of the memory of read values, and no work in the request.
 * Of the old row only what differs is kept.
 */
export class CapturedChange implements PendingEvent {
  readonly id: string
  readonly topic: string
  readonly sizeBytes: number
  readonly isInternal: boolean
  readonly transition: Transition | undefined
  private readonly previous: PreviousTexts
  readonly relations: readonly RelationLists[]
  private readonly row: string
  private readonly variant: EntityVariant

  constructor(
    readonly batch: ChangeBatch,
    readonly action: ChangeAction,
    image: RowImage,
    private readonly details: ChangeDetails = {},
  ) {
    const { id = batch.nextId?.() ?? uuidv7(), previous = [], transition, relations = [] } = details
    this.id = id
    this.previous = previous
    this.transition = transition
    this.relations = relations
    this.variant = variantOf(batch.entity, image)
    this.topic = transition ? transitionTopic(transition, this.variant) : this.variant.topics[action]
    this.isInternal = transition?.isInternal ?? false
    this.row = packRow(image)
    this.sizeBytes = this.row.length + textLength(previous) + listsLength(relations) + OVERHEAD_BYTES
  }

  /** Whether the row was inserted, or deleted, by this change. */
  get isInsertion(): boolean {
    return this.action === "create" && !this.details.isSoft
  }

  get isDeletion(): boolean {
    return this.action === "delete" && !this.details.isSoft
  }

  /** The row as it was, undefined for one that was made. */
  get before(): RowImage | undefined {
    if (this.action === "create") return undefined
    const previous = this.previousTexts()
    return (
      this.after?.map((text, index) => (previous.has(index) ? (previous.get(index) ?? null) : text)) ??
      unpackRow(this.row)
    )
  }

  /** The row as it is, undefined for one that is gone. */
  get after(): RowImage | undefined {
    return this.action === "delete" ? undefined : unpackRow(this.row)
  }

  /** The row's text in these columns: as it is, and as it was if that differs. */
  textsAt(columns: readonly number[]): readonly (readonly (string | null)[])[] {
    const image = unpackRow(this.row)
    const previous = this.previousTexts()
    const after = columns.map((index) => image[index] ?? null)
    if (!columns.some((index) => previous.has(index))) return [after]
    return [
      after,
      columns.map((index) => (previous.has(index) ? (previous.get(index) ?? null) : (image[index] ?? null))),
    ]
  }

  /** The same event, which shows these relations as well. */
  withRelations(relations: readonly RelationLists[]): CapturedChange {
    return new CapturedChange(this.batch, this.action, unpackRow(this.row), {
      ...this.details,
      id: this.id,
      relations,
    })
  }

  resolve(): ChangeEvent | undefined {
    const { action, batch } = this
    const image = unpackRow(this.row)
    const previous = this.previousTexts()
    const { app, model, columns } = this.variant
    const values = columns.map((index) => readColumn(batch, index, image[index] ?? null))
    const record = toRecord(batch.entity, columns, values)
    const old = action === "update" ? this.recordBefore(values, previous) : action === "delete" ? record : null
    const prechange = this.withLists(old, "before")
    const postchange = this.withLists(action === "delete" ? null : record, "after")
    const differing = this.compare(prechange, postchange, previous)
    if (action === "update" && !batch.emitUnchanged && isUnchanged(differing)) return undefined
    const event: ChangeEvent = {
      kind: "change",
      id: this.id,
      topic: this.topic,
      key: `${app}.${model}:${this.keyOf(image, previous)}`,
      occurredAt: batch.occurredAt,
      context: batch.context,
      action,
      app,
      model,
      prechange,
      postchange,
      differences: differing,
    }
    return this.transition ? { ...event, transition: this.transition.operation } : event
  }

  /** The primary key of the row as it was first: an update may change it. */
  private keyOf(image: RowImage, previous: ReadonlyMap<number, string | null>): string {
    const { entity, reader } = this.batch
    const text = (index: number): string => previous.get(index) ?? image[index] ?? ""
    return entity.primary.map((index) => keyText(text(index), entity.columns[index] as ImageColumn, reader)).join(",")
  }

  private previousTexts(): ReadonlyMap<number, string | null> {
    const texts = new Map<number, string | null>()
    for (let at = 0; at < this.previous.length; at += 2) {
      texts.set(this.previous[at] as number, this.previous[at + 1] as string | null)
    }
    return texts
  }

  /** The old row: the new one's values, but for the columns that differ. */
  private recordBefore(
    after: readonly unknown[],
    previous: ReadonlyMap<number, string | null>,
  ): Record<string, unknown> {
    const { columns } = this.variant
    const values = columns.map((index, position) => {
      const text = previous.get(index)
      return text === undefined ? after[position] : readColumn(this.batch, index, text)
    })
    return toRecord(this.batch.entity, columns, values)
  }

  private withLists(record: Record<string, unknown> | null, side: "before" | "after"): ChangeRecord | null {
    if (!record) return null
    for (const lists of this.relations) {
      setNested(record, lists.relation.path, shownList(lists, lists[side], this.batch.reader))
    }
    return record
  }

  /** Also tells that a masked value changed, although both sides show the same mask. */
  private compare(
    before: ChangeRecord | null,
    after: ChangeRecord | null,
    previous: ReadonlyMap<number, string | null>,
  ): Differences {
    const differing = differences(before, after, this.variant.ignored)
    if (!before || !after) return differing
    const columns = [...previous.keys()]
      .map((index) => this.batch.entity.columns[index] as ImageColumn)
      .flatMap((column) => (column.sensitive && column.countsAsDifference ? (column.path[0] ?? []) : []))
    const masked = [
      ...columns,
      ...this.relations.filter(hidesDifference).map(({ relation }) => relation.path[0] as string),
    ]
    if (masked.length === 0) return differing
    const pick = (record: ChangeRecord) => Object.fromEntries(masked.map((name) => [name, record[name]]))
    return {
      added: { ...differing.added, ...pick(after) },
      removed: { ...differing.removed, ...pick(before) },
    }
  }
}

/** What a record shows of the column's text. */
export function readColumn({ entity, parsers, reader }: ChangeBatch, index: number, text: string | null): unknown {
  return readValue(text, entity.columns[index] as ImageColumn, parsers[index] as ValueParser, reader)
}

function toRecord(
  entity: TrackedEntity,
  columns: readonly number[],
  values: readonly unknown[],
): Record<string, unknown> {
  const record: Record<string, unknown> = {}
  columns.forEach((index, position) => {
    const { path } = entity.columns[index] as ImageColumn
    if (path.length === 1) record[path[0] as string] = values[position]
    else if (path.length > 1) setNested(record, path, values[position])
  })
  for (const relation of entity.compositeRelations) nullWithoutKey(record, relation)
  return record
}

/** A relation with a composite key that points nowhere is null, not an object of nulls. */
function nullWithoutKey(record: Record<string, unknown>, relation: string): void {
  const key = record[relation]
  if (key && Object.values(key).every((part) => part === null)) record[relation] = null
}

function setNested(record: Record<string, unknown>, path: readonly string[], value: unknown): void {
  let at = record
  for (const name of path.slice(0, -1)) at = (at[name] ??= {}) as Record<string, unknown>
  at[path.at(-1) as string] = value
}

function textLength(previous: PreviousTexts): number {
  return previous.reduce<number>((bytes, part) => bytes + (typeof part === "string" ? part.length : 0), 0)
}

function listsLength(relations: readonly RelationLists[]): number {
  const lists = relations.flatMap(({ before, after }) => (before === after ? [after] : [before, after]))
  return lists.flat(2).reduce((bytes, text) => bytes + text.length, 0)
}

export function variantOf(entity: TrackedEntity, image: RowImage): EntityVariant {
  const value = entity.discriminator < 0 ? "" : (image[entity.discriminator] ?? "")
  return entity.variants.get(value) ?? (entity.variants.values().next().value as EntityVariant)
}
