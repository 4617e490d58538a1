import type { DataSource } from "typeorm"
import { ChangeEventsError } from "../errors"
import type { Report } from "../runtime/report"
import type { CaptureOptions } from "./capture-options"
import { namesEntity } from "./tracked-entity"

/** Reports, as ENTITY_UNCAPTURED, what the option `entities` names and the DataSource does not have. */
export function reportUnknownEntities(dataSource: DataSource, options: CaptureOptions, report: Report): void {
  for (const entry of options.entities ?? []) {
    if (dataSource.entityMetadatas.some((metadata) => namesEntity(entry, metadata))) continue
    const message = `the option \`entities\` names ${entityName(entry)}, which is no entity of this DataSource`
    report(new ChangeEventsError("ENTITY_UNCAPTURED", message, { details: { about: entityName(entry) } }))
  }
}

function entityName(entry: NonNullable<CaptureOptions["entities"]>[number]): string {
  const reference = typeof entry === "object" && "entity" in entry ? entry.entity : entry
  if (typeof reference === "string") return reference
  return typeof reference === "function" ? reference.name : reference.options.name
}
