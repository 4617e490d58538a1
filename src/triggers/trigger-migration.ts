import { changeLogTables } from "../outbox/change-log-tables"
import type { OutboxOptions } from "../outbox/outbox-options"
import { literal } from "./sql-text"
import { functionPrefix, type TableTriggers } from "./table-triggers"

export interface MigrationName {
  /** Such as CaptureTriggers. */
  readonly name: string
  /** Milliseconds, by which TypeORM orders migrations. */
  readonly timestamp: number
}

/**
 * The source of a TypeORM migration, in TypeScript, after which the database has these triggers of ours and no others. Each way is one text:
 * the server carries it out as a whole or not at all, whatever `migrationsTransactionMode` says.
 */
export function triggerMigration(
  triggers: readonly TableTriggers[],
  outbox: OutboxOptions | undefined,
  { name, timestamp }: MigrationName,
): string {
  const className = `${name}${timestamp}`
  return `import type { MigrationInterface, QueryRunner } from "typeorm"

/** Triggers that capture ${triggers.map(({ entity }) => entity).join(", ")}. Written by \`change-events triggers:generate\`. */
export class ${className} implements MigrationInterface {
  readonly name = "${className}"

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(\`${inTemplate(installTriggers(triggers, outbox))}\`)
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(\`${inTemplate(removeTriggers([], outbox))}\`)
  }
}
`
}

/** The statements that make the triggers, and remove all others of ours. */
export function installTriggers(triggers: readonly TableTriggers[], outbox: OutboxOptions = {}): string {
  const { log, statement } = changeLogTables(outbox)
  return texts([
    // Functions are not checked before they run: without the tables the next write would fail instead of this.
    `SELECT FROM ${log}, ${statement} LIMIT 0`,
    removeTriggers(triggers, outbox),
    ...triggers.flatMap(({ create }) => create),
  ])
}

/** Removes all triggers of this change log, with their functions, but for those to keep. */
export function removeTriggers(keep: readonly TableTriggers[], outbox: OutboxOptions = {}): string {
  const { schema, relationChange } = changeLogTables(outbox)
  const isKept = keep.some(({ table }) => table === relationChange)
  const kept = keep.map(({ functionName }) => literal(functionName)).join(", ")
  return `DO $remove$
DECLARE
  made record;
BEGIN
  FOR made IN
    SELECT oid::regprocedure AS signature FROM pg_proc
    WHERE pronamespace = ${literal(schema)}::regnamespace AND starts_with(proname, ${literal(functionPrefix(outbox))})
      AND prorettype = 'trigger'::regtype AND NOT proname = ANY (ARRAY[${kept}]::text[])
  LOOP
    EXECUTE format('DROP FUNCTION %s CASCADE', made.signature);
  END LOOP;
  ${isKept ? "" : `DROP TABLE IF EXISTS ${relationChange};`}
END $remove$`
}

const texts = (statements: readonly string[]): string => statements.join(";\n\n")

function inTemplate(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("`", "\\`").replaceAll("${", "\\${")
}
