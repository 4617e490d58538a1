import { ChangeEventsError } from "../errors"
import type { Capture } from "./capture"
import { foreignKeyPaths } from "./coverage"

/** What a foreign key of the database does to rows of a captured entity, and nobody tells of it. */
interface UnseenAction {
  readonly table: string
  /** `siteId → Site ON UPDATE CASCADE`. */
  readonly path: string
  readonly reason: string
  readonly remedy: string
}

/** Says once, when a DataSource is known, which foreign keys change captured rows out of sight. */
export function reportUnseenForeignKeys(capture: Capture): void {
  const { options, report } = capture.environment
  const unseen = options.onUncaptured === "ignore" ? [] : unseenActions(capture)
  if (unseen.length === 0) return
  const lines = unseen.map(({ table, path, reason, remedy }) => `- ${table}: ${path} (${reason}; remedy: ${remedy})`)
  const message = `foreign keys of the database change captured rows out of sight, without events:\n${lines.join("\n")}`
  report(new ChangeEventsError("FOREIGN_KEYS_UNSEEN", message, { details: { foreignKeys: unseen } }))
}

function unseenActions(capture: Capture): readonly UnseenAction[] {
  const captured = capture.dataSource.entityMetadatas.filter((metadata) => {
    const isOrms = capture.tableOf(metadata)?.entity.byTriggers === false
    return metadata.tableType === "regular" && isOrms && capture.coverageOf(metadata) === "captured"
  })
  return captured.flatMap((metadata) =>
    foreignKeyPaths(metadata, capture)
      .filter(({ by }) => by === "nobody")
      .map(({ path, reason = "", remedy = "" }) => ({ table: metadata.tablePath, path, reason, remedy })),
  )
}
