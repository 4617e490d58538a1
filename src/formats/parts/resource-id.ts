import type { ChangeEvent } from "../../events/change-event"

/** The primary key of the changed row as text, the parts of a composite one joined by commas. */
export function resourceId({ key, app, model }: ChangeEvent): string {
  return key.slice(`${app}.${model}:`.length)
}
