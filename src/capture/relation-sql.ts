import { quote } from "./image-sql"
import { isOneOf, literal } from "./sql-literal"
import type { ListedKey } from "./relation-list"
import type { TrackedJunction, TrackedRelation } from "./tracked-relation"

/** Rows of an entity whose lists are wanted, by the key that the junction points to. */
export interface WantedLists {
  readonly relation: TrackedRelation
  readonly junction: TrackedJunction
  readonly keys: readonly ListedKey[]
}

export interface ReadingMode {
  /** Whether the rows are locked first, so that the attributes beside the lists stay what they are until the COMMIT. */
  readonly locksRows: boolean
  /** Keys beyond this many of one relation are not brought here. */
  readonly maxKeys: number
}

const SAVEPOINT = '"change_events_relations"'

// In a serializable transaction a reader conflicts with writers, and one of them fails: nothing is read there. Of one of repeatable
// reads a lock on a row that was changed meanwhile would fail, and its lists are those of its snapshot anyway.
const ISOLATION = "current_setting('transaction_isolation')"
const MAY_LOCK = `${ISOLATION} = 'read committed'`
const MAY_READ = `${ISOLATION} <> 'serializable'`

/** Lists that one transaction keeps to itself, at most: locks are kept in shared memory, 64 for each connection. */
const MOST_LOCKS = 100

/**
 * Reads, in one round trip, rows and what the relations list for them. The answers: whether others are completing a list now (1), then, for
 * each relation, how many of its rows could not be locked (only if they are), once the isolation and the time, and for each relation its
 * rows and the junction's. Every statement of the text sees what was committed before it begins, so the lists are read after the locks are
 * held. A failure is undone by `recoverText`.
 */
export function readingText(wanted: readonly WantedLists[], { locksRows, maxKeys }: ReadingMode): string {
  return [
    `SAVEPOINT ${SAVEPOINT}`,
    lockLists(wanted),
    ...(locksRows ? wanted.map(lockRows) : []),
    `SELECT ${ISOLATION}, extract(epoch FROM clock_timestamp())`,
    ...wanted.flatMap((each) => [readRows(each), readLists(each, maxKeys)]),
    `RELEASE SAVEPOINT ${SAVEPOINT}`,
  ].join(";\n")
}

/** Makes the transaction what it was before a reading that failed. */
export const recoverText = `ROLLBACK TO SAVEPOINT ${SAVEPOINT}; RELEASE SAVEPOINT ${SAVEPOINT}`

// No lock waits on the server: a wait could become a deadlock, of which the server ends somebody's transaction.

/**
 * Held until the transaction's end by those who complete a change of the list, and by nobody else. In one order for all, and none behind
 * the first that is not free: two that want the same lists do not each hold one.
 */
function lockLists(wanted: readonly WantedLists[]): string {
  const names = wanted.flatMap(({ relation, keys }) =>
    keys.map((key) => JSON.stringify([relation.entity.tableName, ...relation.path, ...key])),
  )
  const lists = `(SELECT ARRAY[${names.sort().slice(0, MOST_LOCKS).map(literal).join(", ")}]::text[] "names") "list"`
  const lock = (n: string): string => `pg_try_advisory_xact_lock(hashtextextended("names"[${n}], 0))`
  return (
    `WITH RECURSIVE "lock" ("n", "held") AS (SELECT 1, ${lock("1")} FROM ${lists} WHERE ${MAY_LOCK} ` +
    `UNION ALL SELECT "n" + 1, ${lock('"n" + 1')} FROM "lock", ${lists} WHERE "held" AND "n" < cardinality("names")) ` +
    `SELECT count(*) FROM "lock" WHERE NOT "held"`
  )
}

function lockRows({ relation, keys }: WantedLists): string {
  const rows = `FROM ${relation.entity.tableName} WHERE ${MAY_LOCK} AND ${isOneOf(rowKey(relation), keys)}`
  return `SELECT (SELECT count(*) ${rows}) - count(*) FROM (SELECT ${rows} FOR NO KEY UPDATE SKIP LOCKED) "__locked"`
}

function readRows({ relation, keys }: WantedLists): string {
  const columns = relation.entity.columns.map(({ databaseName }) => quote(databaseName)).join(", ")
  return `SELECT ${columns} FROM ${relation.entity.tableName} WHERE ${MAY_READ} AND ${isOneOf(rowKey(relation), keys)}`
}

function readLists({ relation, junction, keys }: WantedLists, maxKeys: number): string {
  const columns = junction.entity.columns.map(({ databaseName }) => databaseName)
  const own = relation.own.map((index) => columns[index] as string)
  const rows = `FROM ${junction.entity.tableName} WHERE ${MAY_READ} AND ${isOneOf(own, keys)}`
  return `SELECT ${columns.map(quote).join(", ")} ${rows} LIMIT ${maxKeys + 1}`
}

function rowKey({ entity, referenced }: TrackedRelation): string[] {
  return referenced.map((index) => entity.columns[index]?.databaseName as string)
}
