import type { EventContext } from "../../events/event-context"
import { contextUser, plainText } from "../parts/context-user"

export interface RequestIds {
  readonly request_id?: string
  readonly global_request_id?: string
}

/**
 * The ids of the request or job, in OpenStack's form; nothing for a write outside any. The global one is the context's further
 * key `globalRequestId`.
 */
export function requestIds(context: EventContext): RequestIds {
  const isOutside = context.changeContext === "ORM" || context.changeContext === "Unknown"
  if (isOutside && !contextUser(context)) return {}
  const globalId = plainText(context["globalRequestId"])
  return {
    request_id: `req-${context.requestId}`,
    ...(globalId === undefined ? {} : { global_request_id: globalId }),
  }
}
