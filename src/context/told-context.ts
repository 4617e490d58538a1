import type { EventContext } from "../events/event-context"
import { contextFields } from "./context-fields"

/**
 * The context in a text that somebody gave to the database (docs/triggers.md); undefined when it is none. What is named like a secret is
 * masked, as in any other context.
 */
export function toldContext(text: string): EventContext | undefined {
  try {
    const { requestId, changeContext = "ORM", changeContextDetail = "", ...told } = contextFields(JSON.parse(text))
    if (requestId === undefined) return undefined
    return { userName: null, ...told, requestId, changeContext, changeContextDetail }
  } catch {
    return undefined
  }
}
