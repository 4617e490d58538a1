import { ChangeEventsError } from "./errors"
import { changeLogTables } from "./outbox/change-log-tables"
import type { OutboxOptions } from "./outbox/outbox-options"
import { isWithoutTable } from "./runtime/servers-word"

/** TypeORM's EntityManager or QueryRunner, or a client of `pg`: whatever the transaction is on. */
export interface InboxTransaction {
  query(text: string, values: unknown[]): Promise<unknown>
}

export interface HandledEvent extends Pick<OutboxOptions, "schema" | "tablePrefix"> {
  /** Who handles it: each consumer handles each event once. */
  readonly consumer: string
  /** The event's id, the same however often it is delivered. */
  readonly eventId: string
}

/**
 * Does the work if this consumer has not handled the event yet, and remembers that it has, in the transaction that is open: both or
 * neither. So what is delivered at least once takes effect exactly once. A second delivery at the same time waits for the first
 * transaction, and then does nothing. Gives whether the work was done.
 *
 * @throws ChangeEventsError INBOX_WITHOUT_TRANSACTION, CHANGE_LOG_MISSING; what the work or the database throws, after which the transaction is to be rolled back
 */
export async function handleOnce(
  transaction: InboxTransaction,
  event: HandledEvent,
  work: () => Promise<unknown>,
): Promise<boolean> {
  if (isOutside(transaction)) {
    const message =
      "handleOnce() was called outside a transaction, where the work and its mark could not stand or fall together"
    throw new ChangeEventsError("INBOX_WITHOUT_TRANSACTION", message)
  }
  const { inbox } = changeLogTables(event)
  // With its table in its text, so that a captured DataSource sees that it is none of its entities'.
  const text = `INSERT INTO ${inbox} (consumer, event_id) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING 1`
  const answer = await transaction.query(text, [event.consumer, event.eventId]).catch((cause: unknown) => {
    throw isWithoutTable(cause) ? withoutInbox(inbox, cause) : cause
  })
  if (rowsOf(answer).length === 0) return false
  await work()
  return true
}

/** As far as it can tell: an old `pg` does not say. */
function isOutside(transaction: InboxTransaction): boolean {
  const {
    transaction: begins,
    queryRunner,
    isTransactionActive,
    getTransactionStatus,
  } = transaction as KnownTransaction
  if (getTransactionStatus) return getTransactionStatus.call(transaction) === "I"
  // TypeORM's managers and DataSources can begin one; only a manager inside one has its query runner.
  const active = typeof begins === "function" ? (queryRunner?.isTransactionActive ?? false) : isTransactionActive
  return active === false
}

interface KnownTransaction {
  readonly transaction?: unknown
  readonly queryRunner?: { readonly isTransactionActive: boolean }
  readonly isTransactionActive?: boolean
  readonly getTransactionStatus?: () => string | null
}

function rowsOf(answer: unknown): readonly unknown[] {
  return Array.isArray(answer) ? answer : (answer as { rows: unknown[] }).rows
}

function withoutInbox(inbox: string, cause: unknown): ChangeEventsError {
  const message = `there is no table ${inbox}: carry out the statements of createInbox() (typeorm-change-events/migrations), or name its \`schema\``
  return new ChangeEventsError("CHANGE_LOG_MISSING", message, { cause, retryable: false })
}
