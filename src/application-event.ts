import { contextOfWrite } from "./context/change-context"
import type { ApplicationEvent } from "./events/change-event"
import type { EventContext } from "./events/event-context"
import type { PendingEvent } from "./events/sink"
import { jsonBody } from "./formats/json-body"
import { uuidv7 } from "./runtime/uuid"

/** About what an event costs besides its payload. */
const OVERHEAD_BYTES = 300

export interface ApplicationEventOptions {
  /** Its context when there is none. */
  readonly fallback: EventContext
  readonly isInternal?: boolean | undefined
  /** Default: the topic. */
  readonly key?: string | undefined
}

/**
 * An application's own event. The payload is written down as JSON at once: what the application does to it later does not change the
 * event, and one that cannot be written is refused where it was made.
 *
 * @throws ChangeEventsError EVENT_UNSERIALIZABLE
 */
export function applicationEvent(
  topic: string,
  payload: unknown,
  { fallback, isInternal = false, key = topic }: ApplicationEventOptions,
): PendingEvent {
  const body = jsonBody(topic, payload)
  const id = uuidv7()
  const occurredAt = new Date()
  const context = contextOfWrite({ fallbackContext: fallback })
  return {
    id,
    topic,
    isInternal,
    sizeBytes: body.length + OVERHEAD_BYTES,
    resolve: (): ApplicationEvent => ({
      kind: "application",
      id,
      topic,
      key,
      occurredAt,
      context,
      payload: JSON.parse(body) as unknown,
    }),
  }
}

/** The context of an event that was published outside any. */
export function noContext(): EventContext {
  return Object.freeze({ userName: null, requestId: uuidv7(), changeContext: "ORM", changeContextDetail: "" })
}
