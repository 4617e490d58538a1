import type { Capture, TrackedTable } from "./capture"
import { completeStatement, returningWithImages, type CapturedStatement } from "./captured-statement"
import { closureTexts } from "./closure-texts"

/** A write that TypeORM sends as a text of its own: no builder makes it, and so none of ours captures it. */
export interface KnownWrite {
  /** How many parameters TypeORM gives it. */
  readonly parameterCount: number
  /** What is sent in its stead, and what that brings. */
  readonly text: string
  readonly statement: CapturedStatement
}

/** Such texts of one DataSource. They are told by the whole text, made of the metadata as TypeORM makes it: no SQL is parsed. */
export class KnownWrites {
  private readonly byText = new Map<string, KnownWrite>()

  constructor(tables: readonly TrackedTable[], capture: Capture) {
    for (const table of tables) {
      if (table.entity.metadata.tableType === "closure-junction" && !table.entity.byTriggers)
        this.addClosure(table, capture)
    }
  }

  of(text: string): KnownWrite | undefined {
    return this.byText.size > 0 && text.startsWith("INSERT INTO ") ? this.byText.get(text) : undefined
  }

  private addClosure(table: TrackedTable, capture: Capture): void {
    const { entity } = table
    const statement = insertOf(table, capture)
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
}

/** As many rows as the subtree that moved has nodes, times the ancestors that it got: maybe more than may be brought here. */
function insertOf({ entity, sql }: TrackedTable, { environment, maxRows }: Capture): CapturedStatement {
  const serverSide = environment.outbox?.serverSide
  return {
    entity,
    junction: undefined,
    sql,
    kind: "insert",
    limited: true,
    serverSide,
    maxRows,
    overwritesKey: false,
    actions: [],
    hidesWrite: false,
  }
}
