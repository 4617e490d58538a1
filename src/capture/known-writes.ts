import type { DataSource, EntityMetadata } from "typeorm"
import { builderlessStatement } from "./builderless-statement"
import type { Capture, TrackedTable } from "./capture"
import { completeStatement, returningWithImages, type CapturedStatement } from "./captured-statement"
import { closureTexts } from "./closure-texts"
import { shiftPattern } from "./nested-set-texts"

/** A write that TypeORM sends as a text of its own: no builder makes it, and so none of ours captures it. */
export type KnownWrite = InsertedWrite | ClearedWrite | ShiftingWrite

export interface InsertedWrite {
  /** How many parameters TypeORM gives it. */
  readonly parameterCount: number
  /** What is sent in its stead, and what that brings. */
  readonly text: string
  readonly statement: CapturedStatement
}

/** A TRUNCATE. */
export interface ClearedWrite {
  /** The table as the text names it. */
  readonly clears: string
  /** Undefined: not captured here, but tables that it takes along may be. */
  readonly table: TrackedTable | undefined
  readonly cascades: boolean
}

/** A shift of a nested set, of which no record shows anything: there is nothing to tell. */
export interface ShiftingWrite {
  readonly shifts: true
}

const SHIFT: ShiftingWrite = { shifts: true }

const TRUNCATE = "TRUNCATE TABLE "

/** Whether the text may be what `clear()` sends: what is known of a DataSource must be asked before. */
export function mayClear(text: string): boolean {
  return text.startsWith(TRUNCATE)
}

/** Such texts of one DataSource. They are known by the whole text, made as TypeORM makes it: no SQL is parsed. */
export class KnownWrites {
  private readonly byText = new Map<string, KnownWrite>()
  private readonly shifts: readonly RegExp[]

  constructor(
    private readonly capture: Capture,
    tables: ReadonlyMap<EntityMetadata, TrackedTable>,
  ) {
    for (const [{ tableType }, table] of tables) {
      if (tableType === "closure-junction" && !table.entity.byTriggers) this.addClosure(table)
    }
    const { emitUnchanged } = capture.environment.options
    const own = emitUnchanged ? [] : [...tables.values()].filter(({ entity }) => !entity.byTriggers)
    this.shifts = own.flatMap(({ entity }) => shiftPattern(entity) ?? [])
    for (const metadata of capture.dataSource.entityMetadatas) this.addClear(metadata, tables.get(metadata))
  }

  of(text: string): KnownWrite | undefined {
    if (mayClear(text) || text.startsWith("INSERT INTO ")) return this.byText.get(text)
    const isShift = text.startsWith("UPDATE ") && this.shifts.some((pattern) => pattern.test(text))
    return isShift ? SHIFT : undefined
  }

  private addClosure(table: TrackedTable): void {
    const { entity } = table
    // As many rows as the subtree that moved has nodes, times the ancestors that it got: maybe more than may be brought here.
    const statement = builderlessStatement(table, this.capture, "insert")
    for (const text of closureTexts(entity)) {
      const returning = `${text} RETURNING ${returningWithImages(statement, "")}`
      const parameterCount = entity.columns.length
      this.byText.set(text, {
        parameterCount,
        text: completeStatement(statement, returning, parameterCount),
        statement,
      })
    }
  }

  /** Triggers tell what is emptied of their tables, but not of others that it takes along. */
  private addClear({ tablePath, tableType }: EntityMetadata, known: TrackedTable | undefined): void {
    if (tableType === "view" || tableType === "entity-child") return
    const table = known?.entity.byTriggers ? undefined : known
    const [plain, cascading] = clearTexts(this.capture.dataSource, tablePath)
    const clears = plain.slice(TRUNCATE.length)
    if (table) this.byText.set(plain, { clears, table, cascades: false })
    this.byText.set(cascading, { clears, table, cascades: true })
  }
}

/** TypeORM's own query runner is asked, with no connection behind it: which schema it leaves out is its affair. */
function clearTexts(dataSource: DataSource, tablePath: string): readonly [plain: string, cascading: string] {
  const texts: string[] = []
  const runner = dataSource.createQueryRunner()
  runner.query = (text: string) => Promise.resolve(void texts.push(text)) as never
  void runner.clearTable(tablePath)
  void runner.clearTable(tablePath, { cascade: true })
  return texts as unknown as [string, string]
}
