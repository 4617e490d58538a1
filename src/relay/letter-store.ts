import type { ChangeLogTables } from "../outbox/change-log-tables"
import type { LogRow } from "../events/log-row"
import { inMilliseconds } from "../outbox/log-rows"
import { isInShard } from "./cursor-sql"
import type { ClaimedCursor } from "./cursor-store"
import type { RelayConnection } from "./relay-connection"
import { storableText } from "./storable-text"

/** A dead letter that is to be sent again. */
export interface RequeuedLetter {
  readonly id: string
  readonly eventId: string
  /** Null where the row could not be read. */
  readonly topic: string | null
  readonly key: string
  readonly attempts: number
  readonly row: LogRow
}

/** More keys than this are not held in memory: the broker refuses everything, and waits for somebody to look. */
export const MAX_HELD_KEYS = 100_000

const REQUEUED_AT_ONCE = 100

/** The id of a letter that stands for all events of its row. */
export function wholeRow(rowId: bigint): string {
  return `row ${rowId}`
}

/** The dead letters of one broker, as the relay that leads its cursor reads and settles them. */
export class LetterStore {
  constructor(
    private readonly connection: RelayConnection,
    private readonly tables: ChangeLogTables,
    private readonly cursor: ClaimedCursor,
  ) {}

  /**
   * The keys whose events wait behind a dead letter, also one that is to be sent again: it may have come to be so since they were last sent.
   * One more than `MAX_HELD_KEYS` if there are more.
   */
  async heldKeys(): Promise<Set<string>> {
    const rows = await this.connection.lists(
      `SELECT DISTINCT key FROM ${this.tables.deadLetter}
       WHERE broker = $1 AND ${this.ownShard("key")} LIMIT ${MAX_HELD_KEYS + 1}`,
      [this.cursor.name.broker],
    )
    return new Set(rows.map(([key]) => key as string))
  }

  /**
   * The next ones to send again, in the order of the log. With them those that were put behind one that is not there any more: a key may be
   * freed while its next event is on its way here.
   */
  async requeued(isHolding: boolean): Promise<readonly RequeuedLetter[]> {
    const { deadLetter } = this.tables
    const freed = `letter.state = 'held' AND NOT EXISTS (SELECT FROM ${deadLetter} AS first
      WHERE first.broker = letter.broker AND first.key = letter.key AND first.state = 'rejected')`
    // Of a key that is held nothing goes before the first letter that was refused.
    const blocked = `EXISTS (SELECT FROM ${deadLetter} AS first WHERE first.broker = letter.broker AND first.key = letter.key
      AND first.state = 'rejected' AND first.log_id < letter.log_id)`
    const rows = await this.connection.lists(
      `SELECT id::text, event_id, topic, key, attempts, log_id::text, ${inMilliseconds("written_at")}, event, record, body, old_row, new_row
       FROM ${deadLetter} AS letter
       WHERE broker = $1 AND ${this.ownShard("key")} AND (letter.state = 'requeued' OR ${freed}) ${isHolding ? `AND NOT ${blocked}` : ""}
       ORDER BY log_id, id LIMIT ${REQUEUED_AT_ONCE}`,
      [this.cursor.name.broker],
    )
    return rows.map(toRequeued)
  }

  /** It was accepted, or is to be sent to nobody. Gives whether the cursor is still ours. */
  settle({ id }: RequeuedLetter): Promise<boolean> {
    return this.changeOwn(`DELETE FROM ${this.tables.deadLetter} WHERE id = $4::bigint`, [id])
  }

  /** It was refused once more: where its key is held, those behind it wait again. Gives whether the cursor is still ours. */
  reject(
    { id }: RequeuedLetter,
    failure: { code: string; error: string; attempts: number },
    isHolding: boolean,
  ): Promise<boolean> {
    const { deadLetter } = this.tables
    return this.changeOwn(
      `UPDATE ${deadLetter} AS letter SET
         state = CASE WHEN letter.id = $4::bigint THEN 'rejected' ELSE 'held' END,
         code = CASE WHEN letter.id = $4::bigint THEN $5 ELSE letter.code END,
         error = CASE WHEN letter.id = $4::bigint THEN $6 ELSE letter.error END,
         attempts = CASE WHEN letter.id = $4::bigint THEN $7::int ELSE letter.attempts END, failed_at = clock_timestamp()
       FROM ${deadLetter} AS refused
       WHERE refused.id = $4::bigint AND letter.broker = refused.broker AND letter.key = refused.key
         AND (letter.id = refused.id OR (${isHolding} AND letter.state = 'requeued'))`,
      [id, failure.code, storableText(failure.error), failure.attempts],
    )
  }

  /** Only while the cursor's lease is ours, which the same statement finds out. */
  private async changeOwn(changing: string, values: readonly unknown[]): Promise<boolean> {
    const { name, token, owner } = this.cursor
    const [answer] = await this.connection.query(
      `WITH lease AS (
         SELECT FROM ${this.tables.cursor}
         WHERE broker = $1 AND shard = $2 AND lease_token = $3::bigint AND lease_owner = $${4 + values.length} FOR UPDATE
       ), changed AS (${changing} AND EXISTS (SELECT FROM lease)) SELECT EXISTS (SELECT FROM lease) AS own`,
      [name.broker, name.shard, token, ...values, owner],
    )
    return (answer as { own: boolean }).own
  }

  private ownShard(key: string): string {
    const { shard, shards } = this.cursor.name
    return shards > 1 ? isInShard(key, String(shards), String(shard)) : "true"
  }
}

function toRequeued(list: readonly unknown[]): RequeuedLetter {
  const [id, eventId, topic, key, attempts, logId, writtenMs, event, record, body, oldRow, newRow] = list
  const writtenAt = new Date(Number(writtenMs))
  const row = { id: BigInt(logId as string), key, writtenAt, event, record, body, oldRow, newRow } as LogRow
  return { id, eventId, topic, key, attempts, row } as RequeuedLetter
}
