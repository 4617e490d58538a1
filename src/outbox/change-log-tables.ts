import { outboxDefaults, type OutboxOptions } from "./outbox-options"

/** The tables of one change log, quoted and with their schema, ready to stand in SQL. */
export interface ChangeLogTables {
  readonly schema: string
  readonly log: string
  readonly statement: string
  readonly cursor: string
  readonly deadLetter: string
  readonly relay: string
  readonly inbox: string
  readonly meta: string
  /** Made with the triggers of many-to-many relations: what a transaction did to them, until its COMMIT. */
  readonly relationChange: string
  /** What NOTIFY and LISTEN name, quoted. */
  readonly channel: string
}

/** The version of the tables that this package writes and reads. */
export const CHANGE_LOG_VERSION = 1

export function changeLogTables(options: OutboxOptions = {}): ChangeLogTables {
  const { schema = outboxDefaults.schema, tablePrefix = outboxDefaults.tablePrefix } = options
  const table = (name: string): string => `"${schema}"."${tablePrefix}${name}"`
  return {
    schema: `"${schema}"`,
    log: table("log"),
    statement: table("statement"),
    cursor: table("cursor"),
    deadLetter: table("dead_letter"),
    relay: table("relay"),
    inbox: table("inbox"),
    meta: table("meta"),
    relationChange: table("relation_change"),
    channel: `"${schema}.${tablePrefix}log"`,
  }
}
