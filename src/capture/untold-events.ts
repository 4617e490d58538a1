import { ChangeEventsError } from "../errors"
import { diagnostics } from "../runtime/diagnostics"
import type { Report } from "../runtime/report"
import type { TransactionLimits } from "./transaction-log"

/** Events that a transaction made, and nobody is told of. */
export function undelivered(count: number, reason: string): ChangeEventsError {
  const message = `${count} events of a transaction are not delivered: ${reason}`
  return new ChangeEventsError("COMMIT_OUTCOME_UNKNOWN", message, { details: { count } })
}

export function reportOverflow(
  count: number,
  { limits, report }: { readonly limits: TransactionLimits; readonly report: Report },
): void {
  const most = `maxEventsPerTransaction (${limits.maxEvents}) or maxBytesPerTransaction (${limits.maxBytes})`
  const message = `a transaction made more events than ${most}, ${count} of them are not delivered`
  report(new ChangeEventsError("WRITE_UNCAPTURED", message, { details: { about: "transaction limits", count } }))
  const { uncaptured } = diagnostics
  if (uncaptured.hasSubscribers) uncaptured.publish({ table: "unknown", rows: count, reason: message })
}

/** A write that may have been carried out, though its answer was lost or came too late. */
export function lostAnswer(table: string, cause: unknown): ChangeEventsError {
  const message = `the answer to a write to "${table}" was lost: if it was carried out, it made no events`
  return new ChangeEventsError("COMMIT_OUTCOME_UNKNOWN", message, { cause, details: { about: table, table } })
}
