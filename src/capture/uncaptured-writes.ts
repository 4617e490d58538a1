import type { EntityMetadata } from "typeorm"
import { ChangeEventsError } from "../errors"
import { diagnostics } from "../runtime/diagnostics"
import type { Report } from "../runtime/report"
import type { UncapturedPolicy } from "./capture-options"
import type { DriverResult } from "./driver-connection"
import type { NamedCoverage } from "./named-coverage"
import { hidesWrite, writtenTable } from "./written-table"

/** Texts whose table is remembered, and the longest of them. */
const MAX_TEXTS = 500
const MAX_TEXT_LENGTH = 2_000

const WRITES = new Set(["INSERT", "UPDATE", "DELETE", "MERGE", "COPY", "TRUNCATE"])

/** Why the writes to a table make no events. "unwanted": the user said so, and nothing is reported. */
export type TableCoverage = "captured" | "unwanted" | { readonly uncaptured: string }

export interface UncapturedCounts {
  statements: number
  rows: number
}

export interface UncapturedWritesOptions {
  readonly policy: UncapturedPolicy
  readonly report: Report
  readonly counts: UncapturedCounts
  readonly maxRows: number
  readonly coverage: NamedCoverage
}

/** Notices, from the server's answers, the writes that no builder of ours has made. */
export class UncapturedWrites {
  private readonly tables = new Map<string, string | undefined>()

  constructor(private readonly options: UncapturedWritesOptions) {}

  /** The error to throw, if the policy is to throw. */
  inspect(text: string, results: readonly DriverResult[]): ChangeEventsError | undefined {
    if (this.options.policy === "ignore" && !results.some(isWrite)) return undefined
    for (const result of results) {
      const write = isWrite(result) || (result.command === "SELECT" && hidesWrite(text))
      const error = write ? this.inspectWrite(text, result) : undefined
      if (error) return error
    }
    return undefined
  }

  /** A captured statement whose rows were too many to bring here. */
  tooMany(table: string, changedRows: number): ChangeEventsError | undefined {
    const reason = `it changed ${changedRows} rows, more than maxRowsPerStatement (${this.options.maxRows})`
    return this.note(table, changedRows, reason)
  }

  /** Captured rows that could not be made events. */
  untold(table: string, rows: number, reason: string): ChangeEventsError | undefined {
    return this.note(table, rows, reason)
  }

  /** A captured statement with a CTE that writes, too. */
  hiddenWrite(table: string): ChangeEventsError | undefined {
    return this.note("unknown", 0, `a CTE of a statement on "${table}" writes`)
  }

  private inspectWrite(text: string, result: DriverResult): ChangeEventsError | undefined {
    if (result.command === "COPY" && COPY_TO.test(text)) return undefined
    const table = this.tableOf(text)
    const rows = result.rowCount ?? 0
    // How many rows a CTE wrote, the answer does not tell.
    if (result.command !== "TRUNCATE" && rows === 0 && !hidesWrite(text)) return undefined
    if (table === undefined) return this.note("unknown", rows, "raw SQL writes where its text does not tell")
    const coverage = this.options.coverage.of(table)
    if (coverage === undefined || coverage === "unwanted") return undefined
    if (coverage === "captured" && rows > this.options.maxRows) return this.tooMany(table, rows)
    return this.note(table, rows, coverage === "captured" ? "it is raw SQL or TRUNCATE" : coverage.uncaptured)
  }

  /** Remembered by text: a table that nobody wants is written again and again, and looking it up should cost nothing. */
  private tableOf(text: string): string | undefined {
    if (text.length > MAX_TEXT_LENGTH) return writtenTable(text)
    if (!this.tables.has(text)) {
      if (this.tables.size >= MAX_TEXTS) this.tables.clear()
      this.tables.set(text, writtenTable(text))
    }
    return this.tables.get(text)
  }

  private note(table: string, rows: number, reason: string): ChangeEventsError | undefined {
    const { policy, report, counts } = this.options
    counts.statements++
    counts.rows += rows
    if (diagnostics.uncaptured.hasSubscribers) diagnostics.uncaptured.publish({ table, rows, reason })
    if (policy === "ignore") return undefined
    const message = `a write to "${table}" made no events: ${reason}`
    const error = new ChangeEventsError("WRITE_UNCAPTURED", message, {
      details: { about: `${table}: ${reason}`, table, rows },
    })
    if (policy === "throw") return error
    report(error)
    return undefined
  }
}

/** COPY … TO reads, though its tag is that of COPY … FROM. */
const COPY_TO = /^\s*COPY\b[\s\S]*\bTO\s+(STDOUT|PROGRAM|')/i

/** Whether the server's answer says that rows were written. */
export function isWrite(result: DriverResult): boolean {
  return result.command !== null && WRITES.has(result.command)
}

/** Why a table that TypeORM knows is not captured though nobody said so; undefined for one that is. */
export function uncapturedKind(metadata: EntityMetadata): string | undefined {
  return metadata.tableType === "view" ? "it is a view" : undefined
}
