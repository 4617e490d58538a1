import { isHiddenKey, type ImageColumn } from "./image-column"
import type { TrackedEntity } from "./tracked-entity"

/** Why triggers cannot capture the entity; undefined when they can. */
export function triggerFault({ primary, columns }: TrackedEntity): string | undefined {
  const hidden = primary.map((index) => columns[index] as ImageColumn).filter(isHiddenKey)
  if (hidden.length === 0) return undefined
  const names = hidden.map((column) => column.metadata.propertyPath).join(", ")
  return `its key (${names}) is sensitive, and a trigger has no secret to hide it with`
}
