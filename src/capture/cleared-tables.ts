import { asError, type ChangeEventsError } from "../errors"
import { builderlessStatement } from "./builderless-statement"
import type { TrackedTable } from "./capture"
import { retriedAtDeadlock } from "./deadlock-retries"
import { statusOf, type DriverResult } from "./driver-connection"
import type { ClearedWrite } from "./known-writes"
import { ReadingRefused, runTexts, type RunText } from "./run-texts"
import { logOnServer } from "./server-side-log"
import { literal } from "./sql-literal"
import type { StatementRunner, WatchedConnection } from "./statement-runner"

const NAME = '"change_events_clear"'

/** A table that a TRUNCATE empties, and how many rows it has: no more are counted than one beyond the limit. */
interface EmptiedTable {
  readonly table: TrackedTable
  readonly rows: number
}

/**
 * Tells what `clear()` removes: the deletion of each row. In its own transaction the tables are locked as TRUNCATE will lock them, the rows
 * are read, and then it is sent. What fails of this is undone and reported, and the tables are emptied all the same; but for a deadlock that
 * comes again and again, of which it fails.
 */
export class ClearedTables {
  private readonly bare: RunText

  /** `query` sends a text as the application would, so that the log follows it. */
  constructor(
    private readonly watched: WatchedConnection,
    private readonly runner: StatementRunner,
    private readonly query: (text: string) => Promise<unknown>,
  ) {
    this.bare = runTexts(watched.connection, watched.bareQuery)
  }

  async around(write: ClearedWrite, carryOut: () => Promise<unknown>): Promise<unknown> {
    // It will fail as well.
    if (statusOf(this.watched.connection) === "E") return carryOut()
    const told = await this.tell(write)
    const answer = await carryOut()
    const refusal = typeof told === "string" ? this.untold(write, told) : told
    if (refusal) throw refusal
    return answer
  }

  /** The error to throw once the tables are empty, if something could not be told and the policy is to throw; or why nothing could be. */
  private tell(write: ClearedWrite): Promise<ChangeEventsError | string | undefined> {
    return retriedAtDeadlock({
      read: (begun) => this.read(write, begun),
      undo: () => this.undo(),
      failed: (error) => asError(error).message,
    })
  }

  private untold({ table, clears }: ClearedWrite, cause: string): ChangeEventsError | undefined {
    const reason = `the rows that it removes could not be read: ${cause}`
    return this.watched.capture.uncaptured.untold(table?.entity.metadata.tablePath ?? clears, 0, reason)
  }

  private async undo(): Promise<void> {
    await this.query(`ROLLBACK TO SAVEPOINT ${NAME}`).catch(() => undefined)
    await this.query(`RELEASE SAVEPOINT ${NAME}`).catch(() => undefined)
  }

  private async read(write: ClearedWrite, begun: () => void): Promise<ChangeEventsError | undefined> {
    await this.query(`SAVEPOINT ${NAME}`)
    begun()
    const tables = await this.lock(write)
    let refusal: ChangeEventsError | undefined
    for (const emptied of tables) refusal = (await this.tellTable(emptied)) ?? refusal
    await this.query(`RELEASE SAVEPOINT ${NAME}`)
    return refusal
  }

  /** First the table, then what it takes along: TRUNCATE goes in the same order, so that the two never wait for one another. */
  private async lock({ clears, table, cascades }: ClearedWrite): Promise<readonly EmptiedTable[]> {
    await this.bare(lockText([clears]))
    const others = cascades ? await this.takenAlong(clears, table) : []
    if (others.length > 0) await this.bare(lockText(others.map(({ entity }) => entity.tableName)))
    return this.count(table ? [table, ...others] : others)
  }

  /** Whatever points to an emptied table is emptied, also by foreign keys that TypeORM does not know. */
  private async takenAlong(clears: string, own: TrackedTable | undefined): Promise<TrackedTable[]> {
    const [found] = await this.bare(takenAlongText(clears))
    const names = (found?.rows ?? []) as readonly [schema: string, table: string, isVisible: string][]
    const { capture } = this.watched
    const tables = capture.dataSource.entityMetadatas.flatMap((metadata) => {
      const { schema, tableName } = metadata
      const isFound = names.some(
        ([inSchema, table, isVisible]) => table === tableName && (schema ? schema === inSchema : isVisible === "t"),
      )
      return isFound && metadata.tableType !== "entity-child" ? (capture.tableOf(metadata) ?? []) : []
    })
    return [...new Set(tables)].filter((table) => table !== own && !table.entity.byTriggers)
  }

  private async count(tables: readonly TrackedTable[]): Promise<readonly EmptiedTable[]> {
    if (tables.length === 0) return []
    const { maxRows } = this.watched.capture
    const [answer] = await this.bare(countText(tables, maxRows))
    const [isolation, ...counted] = (answer as DriverResult).rows[0] as readonly string[]
    if (isolation !== "read committed") throw new ReadingRefused(`its transaction is ${isolation}`)
    return tables.map((table, index) => {
      if (counted[2 * index] === "t") throw new ReadingRefused("row-level security may hide some of them")
      return { table, rows: Number(counted[2 * index + 1]) }
    })
  }

  private async tellTable({ table, rows }: EmptiedTable): Promise<ChangeEventsError | undefined> {
    const { capture } = this.watched
    if (rows === 0) return undefined
    const { serverSide, ...rest } = builderlessStatement(table, capture, "delete")
    if (rows > capture.maxRows && !serverSide) {
      const reason = `it removed more rows than maxRowsPerStatement (${capture.maxRows})`
      return capture.uncaptured.untold(table.entity.metadata.tablePath, 0, reason)
    }
    const text = `SELECT ${table.sql.delete} FROM ${table.entity.tableName}`
    if (rows <= capture.maxRows || !serverSide) {
      await this.runner.run(text, [], { ...rest, limited: false, serverSide: undefined })
    } else {
      const statement = { ...rest, limited: true, serverSide }
      await this.runner.run(logOnServer(statement, text, serverSide, 0), [], statement)
    }
    return undefined
  }
}

function lockText(tables: readonly string[]): string {
  return `LOCK TABLE ${tables.join(", ")} IN ACCESS EXCLUSIVE MODE`
}

function takenAlongText(clears: string): string {
  return `
    WITH RECURSIVE emptied AS (
      SELECT ${literal(clears)}::regclass::oid AS id
      UNION SELECT key.conrelid FROM pg_constraint key JOIN emptied ON key.confrelid = emptied.id WHERE key.contype = 'f'
    )
    SELECT namespace.nspname, class.relname, pg_table_is_visible(class.oid)
    FROM emptied JOIN pg_class class ON class.oid = emptied.id JOIN pg_namespace namespace ON namespace.oid = class.relnamespace`
}

function countText(tables: readonly TrackedTable[], maxRows: number): string {
  const counts = tables.map(({ entity: { tableName } }) => {
    const rows = `SELECT FROM ${tableName} LIMIT ${maxRows + 1}`
    return `row_security_active(${literal(tableName)}::regclass), (SELECT count(*) FROM (${rows}) AS "row")`
  })
  return `SELECT current_setting('transaction_isolation'), ${counts.join(", ")}`
}
