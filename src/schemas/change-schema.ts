import type { ChangeAction } from "../events/change-event"
import { closedObject, NULL, reference, type JsonSchema } from "./json-schema"

/** The name of the row's schema among the document's, and of that of its attributes that differ. */
export const recordName = (entity: string): string => `record.${entity}`
export const changedName = (entity: string): string => `changed.${entity}`

/** Any of the record's attributes. */
export function changedSchema(entity: string, properties: readonly string[]): JsonSchema {
  const schemas = properties.map((name) => [
    name,
    reference("components", "schemas", recordName(entity), "properties", name),
  ])
  return { type: "object", properties: Object.fromEntries(schemas) as JsonSchema, additionalProperties: false }
}

/** The body of a change in the format `record`. */
export function changeSchema(action: ChangeAction, entity: string): JsonSchema {
  const row = reference("components", "schemas", recordName(entity))
  const changed = reference("components", "schemas", changedName(entity))
  const [prechange, postchange] = [action === "create" ? NULL : row, action === "delete" ? NULL : row]
  const isUpdate = action === "update"
  return closedObject({
    context: reference("components", "schemas", "context"),
    prechange,
    postchange,
    differences: closedObject({ added: isUpdate ? changed : postchange, removed: isUpdate ? changed : prechange }),
  })
}
