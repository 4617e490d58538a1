import { CHANGE_LOG_VERSION, changeLogTables, type ChangeLogTables } from "./change-log-tables"
import type { OutboxOptions } from "./outbox-options"

/** The statements that make the tables of the change log (docs/decisions/0005). */
export function createChangeLog(options: OutboxOptions = {}): readonly string[] {
  const tables = changeLogTables(options)
  return [
    `CREATE SCHEMA IF NOT EXISTS ${tables.schema}`,
    ...logTables(tables),
    ...relayTables(tables),
    ...deadLetterTable(tables),
    ...otherTables(tables),
  ]
}

/** The statements that remove them. The schema stays if something else is in it. */
export function dropChangeLog(options: OutboxOptions = {}): readonly string[] {
  const { log, statement, cursor, deadLetter, relay, inbox, meta, schema } = changeLogTables(options)
  const isEmpty = `SELECT 1 FROM pg_class WHERE relnamespace = '${schema}'::regnamespace`
  return [
    `DROP TABLE ${[log, statement, cursor, deadLetter, relay, inbox, meta].join(", ")}`,
    `DO $$ BEGIN IF NOT EXISTS (${isEmpty}) THEN DROP SCHEMA ${schema}; END IF; END $$`,
  ]
}

function logTables({ log, statement }: ChangeLogTables): string[] {
  return [
    // `xid` before `id`: the reader relies on the transaction having its id before the row draws its own.
    `CREATE TABLE ${log} (
      xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
      id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      written_at timestamptz NOT NULL DEFAULT clock_timestamp(),
      key text NOT NULL,
      event text,
      record text,
      statement_id bigint,
      old_row text,
      new_row text
    )`,
    `CREATE INDEX ON ${log} (key, id)`,
    `CREATE INDEX ON ${log} (statement_id) WHERE statement_id IS NOT NULL`,
    // For `transaction(id)`: a hundredth of the price of a B-tree, because ids and places go together.
    `CREATE INDEX ON ${log} USING brin ((xid::text::bigint)) WITH (pages_per_range = 16, autosummarize = on)`,
    `CREATE TABLE ${statement} (
      id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      written_at timestamptz NOT NULL DEFAULT clock_timestamp(),
      body text NOT NULL
    )`,
  ]
}

function relayTables({ cursor, relay }: ChangeLogTables): string[] {
  return [
    `CREATE TABLE ${cursor} (
      broker text NOT NULL,
      shard integer NOT NULL,
      shards integer NOT NULL,
      done pg_snapshot NOT NULL,
      done_id bigint NOT NULL,
      open jsonb NOT NULL DEFAULT '{}',
      until pg_snapshot,
      until_id bigint,
      last_id bigint,
      lease_owner text,
      lease_token bigint NOT NULL DEFAULT 0,
      lease_until timestamptz NOT NULL DEFAULT '-infinity',
      delivered bigint NOT NULL DEFAULT 0,
      letters_changed bigint NOT NULL DEFAULT 0,
      moved_at timestamptz NOT NULL DEFAULT clock_timestamp(),
      last_error text,
      last_error_at timestamptz,
      PRIMARY KEY (broker, shard)
    ) WITH (fillfactor = 20)`,
    `CREATE TABLE ${relay} (id text PRIMARY KEY, host text NOT NULL, pid integer NOT NULL, seen_at timestamptz NOT NULL)`,
  ]
}

function deadLetterTable({ deadLetter }: ChangeLogTables): string[] {
  return [
    `CREATE TABLE ${deadLetter} (
      id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      broker text NOT NULL,
      log_id bigint NOT NULL,
      event_id text NOT NULL,
      topic text,
      key text NOT NULL,
      state text NOT NULL CHECK (state IN ('rejected', 'held', 'requeued')),
      code text NOT NULL,
      error text NOT NULL,
      attempts integer NOT NULL,
      written_at timestamptz NOT NULL,
      failed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
      event text,
      record text,
      body text,
      old_row text,
      new_row text,
      UNIQUE (broker, log_id, event_id)
    )`,
    `CREATE INDEX ON ${deadLetter} (broker, key, log_id)`,
  ]
}

/** The statements that make only what `handleOnce()` needs, in a consumer's database that has no change log. */
export function createInbox(options: OutboxOptions = {}): readonly string[] {
  const tables = changeLogTables(options)
  return [`CREATE SCHEMA IF NOT EXISTS ${tables.schema}`, inboxTable(tables)]
}

function inboxTable({ inbox }: ChangeLogTables): string {
  return `CREATE TABLE ${inbox} (
      consumer text NOT NULL,
      event_id text NOT NULL,
      handled_at timestamptz NOT NULL DEFAULT clock_timestamp(),
      PRIMARY KEY (consumer, event_id)
    )`
}

function otherTables(tables: ChangeLogTables): string[] {
  const { meta } = tables
  return [
    inboxTable(tables),
    `CREATE TABLE ${meta} (version integer NOT NULL, system_identifier text NOT NULL, database_oid oid NOT NULL)`,
    `INSERT INTO ${meta} SELECT ${CHANGE_LOG_VERSION}, system_identifier::text, (SELECT oid FROM pg_database WHERE datname = current_database())
      FROM pg_control_system()`,
  ]
}
