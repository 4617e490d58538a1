import type { MigrationInterface, QueryRunner } from "typeorm"
import { createChangeLog, createInbox, dropChangeLog } from "../outbox/change-log-schema"
import type { OutboxOptions } from "../outbox/outbox-options"

export { createInbox }
export type { OutboxOptions }

/**
 * The migrations that make the change log, for `DataSourceOptions.migrations`. Give them the names that the option `outbox` of
 * `changeEvents()` has. They do not change later: a new version of the tables adds a migration.
 */
export function changeLogMigrations(options: OutboxOptions = {}): (new () => MigrationInterface)[] {
  class CreateChangeLog1790000000000 implements MigrationInterface {
    readonly name = "CreateChangeLog1790000000000"

    async up(queryRunner: QueryRunner): Promise<void> {
      for (const statement of createChangeLog(options)) await queryRunner.query(statement)
    }

    async down(queryRunner: QueryRunner): Promise<void> {
      for (const statement of dropChangeLog(options)) await queryRunner.query(statement)
    }
  }
  return [CreateChangeLog1790000000000]
}
