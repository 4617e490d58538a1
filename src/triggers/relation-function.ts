import type { ImageColumn } from "../capture/image-column"
import { pathOf } from "../capture/relation-row"
import type { TrackedJunction, TrackedRelation } from "../capture/tracked-relation"
import { changeLogTables } from "../outbox/change-log-tables"
import type { OutboxOptions } from "../outbox/outbox-options"
import { columnOf, keySql, lone, NEW_ROWS, OLD_ROWS, ROW, rowSql, statementBodySql } from "./capture-function"
import { literal, quoted } from "./sql-text"

/** Lists that one transaction locks one by one; beyond it locks the relation, for locks are kept in shared memory. */
const MOST_LOCKS = 100

/** Rows whose lists are read by one statement. */
const CHUNK = 1_000

/** Of the log that are looked at for the making of a row, at most. */
const MOST_OWN_ROWS = 100

/** What the transaction has done to relations, and its COMMIT has not told yet. */
const OWN = `xid = pg_current_xact_id()`

/**
 * The body of the function that a junction's triggers call: it notes whose lists change, and how. What the lists are then is read at the
 * COMMIT, when nobody else can change them in between.
 */
export function junctionBody(junction: TrackedJunction, outbox: OutboxOptions): string {
  const notes = (from: string, isAdded: boolean): string =>
    junction.relations
      .map((relation) => `${noteSql({ junction, relation, outbox, isAdded })}\n    FROM ${from} AS ${ROW};`)
      .join("\n    ")
  const truncated = junction.relations
    .map((relation) => literal(`${noteSql({ junction, relation, outbox, isAdded: false, table: "$1" })} FROM `))
    .map((text) => `EXECUTE concat(${text}, TG_RELID::regclass, ${literal(` AS ${ROW}`)}) USING TG_RELID;`)
    .join("\n    ")
  return `
BEGIN
  IF TG_OP = 'TRUNCATE' THEN
    ${truncated}
  END IF;
  IF TG_OP IN ('DELETE', 'UPDATE') THEN
    ${notes(OLD_ROWS, false)}
  END IF;
  IF TG_OP IN ('INSERT', 'UPDATE') THEN
    ${notes(NEW_ROWS, true)}
  END IF;
  RETURN NULL;
END
`
}

interface Noted {
  readonly junction: TrackedJunction
  readonly relation: TrackedRelation
  readonly outbox: OutboxOptions
  readonly isAdded: boolean
  readonly table?: string
}

/** One row for each of the junction's; the first of a transaction wakes the function of the COMMIT. */
function noteSql({ junction, relation, outbox, isAdded, table = "TG_RELID" }: Noted): string {
  const { relationChange } = changeLogTables(outbox)
  const { own, other } = keysOf(junction, relation)
  const literals = own.map((column) => `quote_literal(concat(${column}))`).join(", ', ', ")
  return `INSERT INTO ${relationChange} (relation, junction, own, own_sql, other, is_added, is_first)
    SELECT ${literal(relationName(junction, relation))}, ${table}, ROW(${own.join(", ")})::text, concat('(', ${literals}, ')'),
      ${otherSql(other)}, ${isAdded}, row_number() OVER () = 1 AND NOT EXISTS (SELECT FROM ${relationChange} WHERE ${OWN})`
}

interface JunctionKeys {
  readonly own: readonly string[]
  readonly other: readonly string[]
}

function keysOf({ entity }: TrackedJunction, relation: TrackedRelation): JunctionKeys {
  const at = (index: number): string =>
    `${ROW}.${quoted((entity.columns[index] as { databaseName: string }).databaseName)}`
  return { own: relation.own.map(at), other: relation.other.map(at) }
}

/** A listed key, as a JSON array of texts. `concat`, because it writes a value as the driver reads it. */
const otherSql = (other: readonly string[]): string =>
  `to_json(ARRAY[${other.map((column) => `concat(${column})`).join(", ")}])::text`

function relationName({ entity }: TrackedJunction, relation: TrackedRelation): string {
  return `${entity.metadata.tablePath} ${relation.entity.metadata.name}.${pathOf(relation)}`
}

/**
 * The body of the function that is run once at the COMMIT of a transaction that changed lists. It takes the locks of all of them in one
 * order, waits for whoever is committing a change of the same, and reads what they are now: before the transaction they were that without
 * its own changes. Where waiting would be a deadlock it goes on without the locks, for no write may fail of it.
 */
export function completionBody(junctions: readonly TrackedJunction[], outbox: OutboxOptions): string {
  const { relationChange } = changeLogTables(outbox)
  const tellings = junctions.flatMap((junction) =>
    junction.relations.map((relation) => tellSql(junction, relation, outbox)),
  )
  return `
DECLARE
  "__lock" record;
  "__chunk" record;
BEGIN
  BEGIN
    FOR "__lock" IN
      SELECT relation, count(DISTINCT own) > ${MOST_LOCKS} AS "isWhole" FROM ${relationChange} WHERE ${OWN} GROUP BY relation ORDER BY relation
    LOOP
      IF "__lock"."isWhole" THEN
        PERFORM pg_advisory_xact_lock(hashtextextended("__lock".relation, 0));
      ELSE
        PERFORM pg_advisory_xact_lock_shared(hashtextextended("__lock".relation, 0));
      END IF;
    END LOOP;
    PERFORM pg_advisory_xact_lock("__list") FROM (
      SELECT DISTINCT hashtextextended(concat(relation, ' ', own), 0) AS "__list" FROM ${relationChange}
      WHERE ${OWN} AND relation IN (
        SELECT relation FROM ${relationChange} WHERE ${OWN} GROUP BY relation HAVING count(DISTINCT own) <= ${MOST_LOCKS})
      ORDER BY 1) AS "__lists";
  EXCEPTION WHEN deadlock_detected OR lock_not_available THEN
    NULL;
  END;
${tellings.join("\n")}
  DELETE FROM ${relationChange} WHERE ${OWN};
  RETURN NULL;
END
`
}

/**
 * Of rows that no transaction has committed the server's statistics know nothing, or, taken at the wrong time, that there are none. A plan for
 * none that loops over loops took minutes of a COMMIT for 27,000 rows; and compiling what costs seem to be forbidding would not help.
 */
export const COMPLETION_SETTINGS = ["enable_nestloop = off", "jit = off"] as const

function tellSql(junction: TrackedJunction, relation: TrackedRelation, outbox: OutboxOptions): string {
  const { relationChange } = changeLogTables(outbox)
  const name = literal(relationName(junction, relation))
  return `  FOR "__chunk" IN
    SELECT junction, array_agg(own) AS owns, string_agg(own_sql, ', ') AS keys FROM (
      SELECT own, own_sql, junction, row_number() OVER (ORDER BY own) AS n FROM (
        SELECT DISTINCT own, own_sql, junction FROM ${relationChange} WHERE ${OWN} AND relation = ${name}) AS "__distinct") AS "__numbered"
    GROUP BY junction, (n - 1) / ${CHUNK}
  LOOP
    EXECUTE concat(${chunkSql(junction, relation, outbox)}) USING "__chunk".owns;
  END LOOP;`
}

/** Parts of a text: names and keys stand in it as they are, so that an index of the key is used whatever its type. */
function chunkSql(junction: TrackedJunction, relation: TrackedRelation, outbox: OutboxOptions): string {
  const { own, other } = keysOf(junction, relation)
  const referenced = relation.referenced.map((index) => columnOf(relation.entity.columns[index] as ImageColumn))
  return [
    literal(`WITH ${netSql(junction, relation, outbox)}, "__now" AS (
      SELECT ROW(${own.join(", ")})::text AS own, ${otherSql(other)} AS other FROM `),
    `"__chunk".junction::regclass`,
    literal(` AS ${ROW} WHERE (${own.join(", ")}) IN (`),
    `"__chunk".keys`,
    literal(`)), ${LISTS}, "__told" AS (
      SELECT ${keySql(relation.entity)} AS key, ${listedRow(relation, "before")} AS "old", ${listedRow(relation, "after")} AS "new"
      FROM `),
    ownerTable(relation),
    literal(` AS ${ROW}
      JOIN (SELECT DISTINCT own FROM "__net") AS "__changed" ON "__changed".own = ROW(${referenced.join(", ")})::text
      LEFT JOIN "__before" ON "__before".own = "__changed".own AND NOT ${isMadeHere(relation, outbox)}
      LEFT JOIN "__after" ON "__after".own = "__changed".own
      WHERE "__before".list IS DISTINCT FROM "__after".list AND (${referenced.join(", ")}) IN (`),
    `"__chunk".keys`,
    literal(`)), ${intoLog(junction, relation, outbox)}`),
  ].join(",\n      ")
}

/** What the transaction added and removed, but for what it did and undid. */
function netSql(junction: TrackedJunction, relation: TrackedRelation, outbox: OutboxOptions): string {
  const sign = "sum(CASE WHEN is_added THEN 1 ELSE -1 END)"
  return `"__net" AS (
      SELECT own, other, ${sign} AS "sign" FROM ${changeLogTables(outbox).relationChange}
      WHERE ${OWN} AND relation = ${literal(relationName(junction, relation))} AND own = ANY ($1)
      GROUP BY own, other HAVING ${sign} <> 0
    )`
}

const LISTS = `"__after" AS (
      SELECT own, string_agg(other, ',') AS list FROM "__now" GROUP BY own
    ), "__before" AS (
      SELECT own, string_agg(other, ',') AS list FROM (
        SELECT own, other FROM "__now" WHERE NOT EXISTS (
          SELECT FROM "__net" WHERE "sign" > 0 AND "__net".own = "__now".own AND "__net".other = "__now".other)
        UNION ALL SELECT own, other FROM "__net" WHERE "sign" < 0) AS "__was" GROUP BY own
    )`

/**
 * Whether the transaction itself made the row, which so had no list before: what is gone was one's whose key it got. The newest rows of a key
 * are this transaction's then; there may be any number of older ones.
 */
function isMadeHere({ entity }: TrackedRelation, outbox: OutboxOptions): string {
  const newest = `SELECT xid, event, old_row FROM ${changeLogTables(outbox).log} WHERE key = ${keySql(entity)} ORDER BY id DESC LIMIT ${MOST_OWN_ROWS}`
  return `EXISTS (SELECT FROM (${newest}) AS "__newest" WHERE ${OWN} AND event IS NULL AND old_row IS NULL)`
}

const listedRow = ({ entity }: TrackedRelation, side: "before" | "after"): string =>
  rowSql(entity, lone, `concat('[', "__${side}".list, ']')`)

function intoLog(junction: TrackedJunction, relation: TrackedRelation, outbox: OutboxOptions): string {
  const { log, statement } = changeLogTables(outbox)
  const names = { junction: junction.entity.metadata.name, path: pathOf(relation) }
  const body = statementBodySql(relation.entity, names)
  return `"__statement" AS (
      INSERT INTO ${statement} (body) SELECT ${body} WHERE EXISTS (SELECT FROM "__told") RETURNING id
    )
    INSERT INTO ${log} (key, statement_id, old_row, new_row)
    SELECT key, "__statement".id, "old", "new" FROM "__told" CROSS JOIN "__statement" ORDER BY key`
}

/** An entity that does not say its schema is where its junction is. */
function ownerTable({ entity }: TrackedRelation): string {
  const { schema, tableName } = entity.metadata
  if (schema !== undefined) return literal(entity.tableName)
  return `(SELECT format('%I.%I', nspname, ${literal(tableName)}) FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace WHERE pg_class.oid = "__chunk".junction)`
}
