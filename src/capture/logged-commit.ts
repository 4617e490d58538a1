import { resultsOf } from "./driver-connection"
import type { QueryConfig } from "./driver-query"
import type { OutboxConnection } from "./outbox-connection"
import type { WatchedConnection } from "./statement-runner"
import { splitStatements, transactionEnding } from "./transaction-commands"

/** Sends a text that commits, and in front of it what the change log has still to be told. @throws ChangeEventsError OUTBOX_WRITE_FAILED */
export function loggedCommit(
  config: QueryConfig,
  outbox: OutboxConnection,
  watched: WatchedConnection,
): Promise<unknown> {
  if (config.text === "COMMIT") return outbox.commit()
  const statements = splitStatements(config.text)
  if (statements.length > 1) return commitWithin(statements, config, outbox, watched)
  return outbox.queryBehind(outbox.take(), config)
}

/**
 * Several statements in one text cannot stand behind others in one write. What is before the one that commits goes first: a ROLLBACK TO
 * would undo what the log was told.
 */
async function commitWithin(
  statements: readonly string[],
  config: QueryConfig,
  outbox: OutboxConnection,
  { connection, bareQuery, log }: WatchedConnection,
): Promise<unknown> {
  const at = statements.findIndex((statement) => transactionEnding(statement) === "commit")
  const [before, rest] = [statements.slice(0, at), statements.slice(at)].map((part) => part.join(";\n"))
  const send = async (text = "") => (text ? resultsOf(await bareQuery.call(connection, { ...config, text })) : [])
  const answers = await send(before)
  if (before) log.settle(before, answers, undefined)
  await outbox.write()
  return [...answers, ...(await send(rest))]
}
