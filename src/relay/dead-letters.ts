import { ChangeEventsError } from "../errors"
import type { ChangeLogTables } from "../outbox/change-log-tables"
import { inMilliseconds, type SqlQuery } from "../outbox/log-rows"
import type { DeadLetter, DeadLetterChoice } from "./dead-letter"

/** What a DeadLetter is made of. */
const COLUMNS = `id::text, broker, event_id AS "eventId", topic, key, state, code, error, attempts,
  ${inMilliseconds("written_at")} AS "writtenMs", ${inMilliseconds("failed_at")} AS "failedMs"`

type Answer<Letter extends DeadLetter> = Omit<Letter, "writtenAt" | "failedAt"> & {
  readonly writtenMs: string
  readonly failedMs: string
}

/** A dead letter with what the log held of it. */
export interface FullDeadLetter extends DeadLetter {
  readonly event: unknown
  readonly record: unknown
}

export interface DeadLetterPage {
  readonly broker?: string
  /** Most letters. Default 100. */
  readonly limit?: number
  /** The id of the last letter seen. */
  readonly after?: string
}

/** What brokers refused, and what may be done about it. */
export class DeadLetters {
  constructor(
    private readonly query: SqlQuery,
    private readonly tables: ChangeLogTables,
  ) {}

  /** In the order of the log. */
  async list({ broker, limit = 100, after = "0" }: DeadLetterPage = {}): Promise<readonly DeadLetter[]> {
    const found = await this.query(
      `SELECT ${COLUMNS} FROM ${this.tables.deadLetter}
       WHERE ($1::text IS NULL OR broker = $1) AND id > $2::bigint ORDER BY id LIMIT $3`,
      [broker ?? null, after, limit],
    )
    return (found as readonly Answer<DeadLetter>[]).map(dated)
  }

  /** @throws ChangeEventsError DEAD_LETTER_UNKNOWN */
  async show(id: string): Promise<FullDeadLetter> {
    const [found] = await this.query(
      `SELECT ${COLUMNS}, event, record FROM ${this.tables.deadLetter} WHERE id::text = $1`,
      [id],
    )
    if (!found) throw unknownLetter(`there is no dead letter ${id}`)
    const { event, record, ...letter } = found as Answer<FullDeadLetter>
    return { ...dated(letter), event: readJson(event), record: readJson(record) }
  }

  /**
   * Has them sent again, each with those of its key, in the order of the log. Gives how many.
   *
   * @throws ChangeEventsError DEAD_LETTER_UNKNOWN when none is meant
   */
  async requeue(choice: DeadLetterChoice): Promise<number> {
    const { deadLetter } = this.tables
    return this.change(
      choice,
      `UPDATE ${deadLetter} AS letter SET state = 'requeued'
       WHERE EXISTS (SELECT FROM meant WHERE meant.broker = letter.broker AND meant.key = letter.key) RETURNING letter.broker`,
    )
  }

  /**
   * Gives them up, and has those sent that waited behind them. Gives how many were given up.
   *
   * @throws ChangeEventsError DEAD_LETTER_UNKNOWN when none is meant
   */
  async drop(choice: DeadLetterChoice): Promise<number> {
    const { deadLetter } = this.tables
    const dropped = await this.change(
      choice,
      `DELETE FROM ${deadLetter} AS letter WHERE letter.id IN (SELECT id FROM meant) RETURNING letter.broker, letter.key`,
    )
    await this.query(
      `WITH freed AS (
         UPDATE ${deadLetter} AS letter SET state = 'requeued' WHERE state = 'held' AND NOT EXISTS (
           SELECT FROM ${deadLetter} AS first WHERE first.broker = letter.broker AND first.key = letter.key AND first.state = 'rejected')
         RETURNING broker)
       UPDATE ${this.tables.cursor} AS cursor SET letters_changed = letters_changed + 1 WHERE broker IN (SELECT broker FROM freed)`,
    )
    return dropped
  }

  /** `changing` may use `meant`: the letters that the choice means. */
  private async change(choice: DeadLetterChoice, changing: string): Promise<number> {
    const { deadLetter, cursor, channel } = this.tables
    const [answer] = await this.query(
      `WITH meant AS (
         SELECT id, broker, key FROM ${deadLetter}
         WHERE ($1::text[] IS NULL OR id::text = ANY ($1)) AND ($2::text IS NULL OR broker = $2) AND ($3::text IS NULL OR key = $3)
       ), changed AS (${changing}), told AS (
         UPDATE ${cursor} SET letters_changed = letters_changed + 1 WHERE broker IN (SELECT broker FROM changed) RETURNING 1
       ) SELECT count(*)::int AS count, (SELECT count(*) FROM told) AS told FROM changed`,
      [choice.ids ?? null, choice.broker ?? null, choice.key ?? null],
    )
    const { count } = answer as { count: number }
    if (count === 0) throw unknownLetter("no dead letter is meant by this choice")
    await this.query(`NOTIFY ${channel}`)
    return count
  }
}

function dated({ writtenMs, failedMs, ...letter }: Answer<DeadLetter>): DeadLetter {
  return { ...letter, writtenAt: new Date(Number(writtenMs)), failedAt: new Date(Number(failedMs)) }
}

function unknownLetter(message: string): ChangeEventsError {
  return new ChangeEventsError("DEAD_LETTER_UNKNOWN", message)
}

/** What cannot be read is shown as it is. */
function readJson(text: unknown): unknown {
  if (typeof text !== "string") return text
  try {
    return JSON.parse(text) as unknown
  } catch {
    return text
  }
}
