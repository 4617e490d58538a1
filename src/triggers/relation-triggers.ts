import { pathOf } from "../capture/relation-row"
import type { TrackedJunction } from "../capture/tracked-relation"
import { changeLogTables } from "../outbox/change-log-tables"
import type { OutboxOptions } from "../outbox/outbox-options"
import { COMPLETION_SETTINGS, completionBody, junctionBody } from "./relation-function"
import { functionPrefix, statementTriggers, withFunction, type TableTriggers } from "./table-triggers"
import { literal } from "./sql-text"

/** What the trigger is called that tells, at the COMMIT, what a transaction did to lists. */
const COMPLETION = "change_events_relations"

/** Of a junction: they note whose lists change. */
export function junctionTriggers(junction: TrackedJunction, outbox: OutboxOptions): TableTriggers {
  const made = statementTriggers(junction.entity, junctionBody(junction, outbox), outbox)
  const names = junction.relations.map((relation) => `${relation.entity.metadata.name}.${pathOf(relation)}`)
  return { ...made, entity: names.join(" and ") }
}

/** The trigger that tells, at the COMMIT, of all lists: deferred, so that it runs when the transaction has made all its changes. */
export function completionTrigger(junctions: readonly TrackedJunction[], outbox: OutboxOptions): TableTriggers {
  const { relationChange } = changeLogTables(outbox)
  const made = {
    entity: "many-to-many relations",
    table: relationChange,
    functionName: `${functionPrefix(outbox)}(relations)`,
    functionBody: completionBody(junctions, outbox),
    functionSettings: COMPLETION_SETTINGS,
    triggers: [COMPLETION],
  }
  const use = (path: string): string[] => [
    // Nothing is ever committed in it.
    `CREATE UNLOGGED TABLE IF NOT EXISTS ${relationChange} (
      xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
      relation text NOT NULL,
      junction oid NOT NULL,
      own text NOT NULL,
      own_sql text NOT NULL,
      other text NOT NULL,
      is_added boolean NOT NULL,
      is_first boolean NOT NULL
    )`,
    `DO $index$ BEGIN
      IF NOT EXISTS (SELECT FROM pg_index WHERE indrelid = ${literal(relationChange)}::regclass) THEN
        CREATE INDEX ON ${relationChange} (xid);
      END IF;
    END $index$`,
    `DROP TRIGGER IF EXISTS ${COMPLETION} ON ${relationChange}`,
    `CREATE CONSTRAINT TRIGGER ${COMPLETION} AFTER INSERT ON ${relationChange} DEFERRABLE INITIALLY DEFERRED
      FOR EACH ROW WHEN (NEW.is_first) EXECUTE FUNCTION ${path}()`,
  ]
  return withFunction(made, use, outbox)
}
