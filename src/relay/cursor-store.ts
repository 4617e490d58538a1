import type { ChangeLogTables } from "../outbox/change-log-tables"
import type { CursorPosition } from "./cursor-position"
import type { NewDeadLetter } from "./dead-letter"
import type { RelayConnection } from "./relay-connection"
import { storableText } from "./storable-text"

/** Which cursor: each shard of a broker has its own. */
export interface CursorName {
  readonly broker: string
  readonly shard: number
  readonly shards: number
}

/** A cursor that is ours until somebody claims it after the lease has ended. */
export interface ClaimedCursor {
  readonly name: CursorName
  /** Raised by every claim: a move that names an older one moves nothing. */
  readonly token: string
  /** Whose claim it was: tokens begin anew where the cursors of a broker are made anew. */
  readonly owner: string
  readonly position: CursorPosition
  /** Changes whenever somebody else has changed the broker's dead letters. */
  readonly lettersChanged: string
  /** When the lease was asked for, by this process' monotonic clock, in milliseconds. */
  readonly leasedAt: number
}

export interface CursorMove {
  readonly position: CursorPosition
  /** Events that the broker accepted since the last move. */
  readonly delivered: number
  readonly letters: readonly NewDeadLetter[]
  /** Why the broker did not take what is next; null: it did. */
  readonly error: string | null
}

interface CursorAnswer {
  readonly token: string
  readonly letters_changed: string
  readonly done: string
  readonly done_id: string
  readonly open: Readonly<Record<string, string>>
  readonly until: string | null
  readonly until_id: string | null
  readonly last_id: string | null
}

/** What a notification says when a relay let go of cursors. A commit's says nothing. */
export const RELEASED = "released"

/** The cursors as the database keeps them. Its clock alone says when a lease ends. */
export class CursorStore {
  constructor(
    private readonly connection: RelayConnection,
    private readonly tables: ChangeLogTables,
    private readonly owner: string,
    private readonly leaseMs: number,
  ) {}

  /** The cursor, if nobody else holds it. */
  async claim(name: CursorName): Promise<ClaimedCursor | undefined> {
    const leasedAt = performance.now()
    const [answer] = await this.connection.query(
      `UPDATE ${this.tables.cursor}
       SET lease_owner = $1, lease_token = lease_token + 1, lease_until = clock_timestamp() + $2 * interval '1 ms'
       WHERE broker = $3 AND shard = $4 AND shards = $5 AND (lease_until < clock_timestamp() OR lease_owner = $1)
       RETURNING lease_token::text AS token, letters_changed::text, done::text, done_id::text, open, until::text, until_id::text, last_id::text`,
      [this.owner, this.leaseMs, name.broker, name.shard, name.shards],
    )
    return answer ? { ...claimed(name, answer as CursorAnswer, leasedAt), owner: this.owner } : undefined
  }

  /**
   * Moves the cursor, and with it writes the dead letters, in one statement. Also renews the lease. Gives `lettersChanged`, or undefined
   * when the cursor is somebody else's by now: then nothing was moved nor written.
   */
  async move(
    { name, token }: ClaimedCursor,
    { position, delivered, letters, error }: CursorMove,
  ): Promise<string | undefined> {
    const { cursor } = this.tables
    const { done, doneId, open, window } = position
    const values = [
      [done, doneId, JSON.stringify(open), window?.until ?? null, window?.untilId ?? null, window?.lastId ?? null],
      [delivered, this.leaseMs, error && storableText(error), name.broker, name.shard, token, this.owner],
    ].flat()
    const moved = `
      UPDATE ${cursor} SET done = $1::pg_snapshot, done_id = $2::bigint, open = $3::jsonb, until = $4::pg_snapshot, until_id = $5::bigint,
        last_id = $6::bigint, delivered = delivered + $7::bigint, lease_until = clock_timestamp() + $8 * interval '1 ms',
        moved_at = clock_timestamp(), last_error = coalesce($9::text, last_error),
        last_error_at = CASE WHEN $9::text IS NULL THEN last_error_at ELSE clock_timestamp() END
      WHERE broker = $10 AND shard = $11 AND lease_token = $12::bigint AND lease_owner = $13 RETURNING letters_changed::text AS changed`
    const [answer] =
      letters.length === 0
        ? await this.connection.query(moved, values)
        : await this.connection.query(this.withLetters(moved), [...values, lettersJson(letters)])
    return (answer as { changed: string } | undefined)?.changed
  }

  /** Makes the lease last again. Gives `lettersChanged`, or undefined when the cursor is somebody else's by now. */
  async renew({ name, token }: ClaimedCursor): Promise<string | undefined> {
    const [renewed] = await this.connection.query(
      `UPDATE ${this.tables.cursor} SET lease_until = clock_timestamp() + $1 * interval '1 ms'
       WHERE broker = $2 AND shard = $3 AND lease_token = $4::bigint AND lease_owner = $5 RETURNING letters_changed::text AS changed`,
      [this.leaseMs, name.broker, name.shard, token, this.owner],
    )
    return (renewed as { changed: string } | undefined)?.changed
  }

  /** So that another relay need not wait for its end. */
  async release({ name, token }: ClaimedCursor): Promise<void> {
    await this.connection.query(
      `UPDATE ${this.tables.cursor} SET lease_until = '-infinity', lease_owner = NULL
       WHERE broker = $1 AND shard = $2 AND lease_token = $3::bigint AND lease_owner = $4`,
      [name.broker, name.shard, token, this.owner],
    )
  }

  /** Tells the other relays that cursors were let go of. */
  async announceRelease(): Promise<void> {
    await this.connection.query(`NOTIFY ${this.tables.channel}, '${RELEASED}'`)
  }

  /** What the log holds of them is copied by the server. */
  private withLetters(moved: string): string {
    const { deadLetter, log, statement } = this.tables
    return `
      WITH moved AS (${moved}), letters AS (
        INSERT INTO ${deadLetter} (broker, log_id, event_id, topic, key, state, code, error, attempts, written_at, event, record, body, old_row, new_row)
        SELECT $10, log.id, letter.event_id, letter.topic, letter.key, letter.state, letter.code, letter.error, letter.attempts, log.written_at,
               log.event, log.record, statement.body, log.old_row, log.new_row
        FROM jsonb_to_recordset($14::jsonb)
          AS letter(log_id bigint, event_id text, topic text, key text, state text, code text, error text, attempts int)
        JOIN ${log} AS log ON log.id = letter.log_id LEFT JOIN ${statement} AS statement ON statement.id = log.statement_id
        WHERE EXISTS (SELECT FROM moved) ORDER BY log.id ON CONFLICT DO NOTHING
      ) SELECT changed FROM moved`
  }
}

function claimed(name: CursorName, answer: CursorAnswer, leasedAt: number): Omit<ClaimedCursor, "owner"> {
  const { token, letters_changed, done, done_id, open, until, until_id, last_id } = answer
  const window = until === null ? undefined : { until, untilId: until_id as string, lastId: last_id as string }
  return { name, token, position: { done, doneId: done_id, open, window }, lettersChanged: letters_changed, leasedAt }
}

function lettersJson(letters: readonly NewDeadLetter[]): string {
  const rows = letters.map(({ rowId, eventId, topic, key, state, code, error, attempts }) => {
    return { log_id: String(rowId), event_id: eventId, topic, key, state, code, error, attempts }
  })
  return JSON.stringify(rows, (_name, value: unknown) => (typeof value === "string" ? storableText(value) : value))
}
