import type { Client } from "pg"

/** A table, as the catalogue knows it. */
interface Table {
  readonly schema: string
  readonly name: string
}

const FIXTURE_SCHEMAS = ["dcim", "ipam", "extras", "users", "identity", "hostile", "Odd Schema"]

// hstore(record) writes each column with the output function of its type: what the server would send to a client.
const LOG = `
CREATE EXTENSION IF NOT EXISTS hstore SCHEMA public;
CREATE SCHEMA ground_truth;
CREATE TABLE ground_truth.change (
  id bigserial PRIMARY KEY,
  "transactionId" text NOT NULL DEFAULT pg_current_xact_id()::text,
  operation text NOT NULL,
  "schema" text NOT NULL,
  "table" text NOT NULL,
  before jsonb,
  after jsonb,
  "beforeJson" jsonb,
  "afterJson" jsonb
);
`

const RECORD_ROW = `
CREATE FUNCTION ground_truth.record_row() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
  change ground_truth.change;
  -- A row of a partition is one of the table that it is a part of.
  root text := (SELECT relname FROM pg_class WHERE oid = coalesce(pg_partition_root(TG_RELID), TG_RELID));
BEGIN
  IF TG_OP <> 'INSERT' THEN
    change.before := public.hstore_to_jsonb(public.hstore(OLD));
    change."beforeJson" := to_jsonb(OLD);
  END IF;
  IF TG_OP <> 'DELETE' THEN
    change.after := public.hstore_to_jsonb(public.hstore(NEW));
    change."afterJson" := to_jsonb(NEW);
  END IF;
  INSERT INTO ground_truth.change (operation, "schema", "table", before, after, "beforeJson", "afterJson")
  VALUES (lower(TG_OP), TG_TABLE_SCHEMA, root,
    change.before, change.after, change."beforeJson", change."afterJson");
  RETURN NULL;
END $$;
`

const RECORD_TRUNCATE = `
CREATE FUNCTION ground_truth.record_truncate() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
  EXECUTE format(
    'INSERT INTO ground_truth.change (operation, "schema", "table", before, "beforeJson")
     SELECT ''truncate'', %L, %L, public.hstore_to_jsonb(public.hstore(t)), to_jsonb(t) FROM %I.%I t',
    TG_TABLE_SCHEMA, TG_TABLE_NAME, TG_TABLE_SCHEMA, TG_TABLE_NAME);
  RETURN NULL;
END $$;
`

/** Makes the log table and puts the triggers that fill it on every fixture table, within one transaction. */
export async function installTriggers(client: Client): Promise<void> {
  const { rows } = await client.query<Table>(
    `SELECT n.nspname AS "schema", c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind = 'r' AND (n.nspname = ANY ($1) OR (n.nspname, c.relname) = ('public', 'without_schema'))`,
    [FIXTURE_SCHEMAS],
  )
  const triggers = rows.map(({ schema, name }) => {
    const table = `${client.escapeIdentifier(schema)}.${client.escapeIdentifier(name)}`
    // Its name comes last in the alphabet, as its turn does: after the triggers that the tables have by themselves.
    return `CREATE TRIGGER "~ground_truth" AFTER INSERT OR UPDATE OR DELETE ON ${table}
              FOR EACH ROW EXECUTE FUNCTION ground_truth.record_row();
            CREATE TRIGGER "~ground_truth_truncate" BEFORE TRUNCATE ON ${table}
              FOR EACH STATEMENT EXECUTE FUNCTION ground_truth.record_truncate();`
  })
  await client.query([LOG, RECORD_ROW, RECORD_TRUNCATE, ...triggers].join("\n"))
}
