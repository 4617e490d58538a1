import type { EventContext } from "../events/event-context"
import type { StatementBody } from "../events/log-row"
import type { CapturedStatement } from "./captured-statement"
import { loggedName } from "./tracked-entity"

/** What the rows that a statement writes into the change log have in common, as the log's table `statement` holds it. */
export function statementBody(
  { entity, kind, overwritesKey }: CapturedStatement,
  context: EventContext,
  types: readonly number[] | undefined,
): string {
  const columns = entity.columns.map((column) => column.databaseName)
  const body: StatementBody = {
    entity: loggedName(entity.metadata),
    kind,
    context,
    columns,
    types: types ?? [],
    overwritesKey,
  }
  return JSON.stringify(body)
}
