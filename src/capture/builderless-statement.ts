import type { Capture, TrackedTable } from "./capture"
import type { CapturedStatement } from "./captured-statement"

/** A statement on the table that no builder of TypeORM's made: nothing of it is the user's. */
export function builderlessStatement(
  { entity, junction, sql }: TrackedTable,
  { environment, maxRows }: Capture,
  kind: "insert" | "delete",
): CapturedStatement {
  return {
    entity,
    junction,
    sql,
    kind,
    limited: true,
    serverSide: junction ? undefined : environment.outbox?.serverSide,
    maxRows,
    overwritesKey: false,
    actions: [],
    hidesWrite: false,
  }
}
