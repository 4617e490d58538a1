import type { EventFormat } from "./format"
import { jsonBody } from "./json-body"
import { eventMessage } from "./parts/event-message"
import { recordBody } from "./parts/record-body"

const CONTENT_TYPE = "application/json"

/**
 * The default format: the change's context, its images before and after and what differs, as JSON. The names of the context
 * are in snake_case, those of the images are the entity's. The body of an application's own event is its payload as given.
 *
 * The format throws ChangeEventsError `EVENT_UNSERIALIZABLE` for a payload that JSON cannot hold.
 */
export function record(): EventFormat {
  return (event) => eventMessage(event, { contentType: CONTENT_TYPE, body: jsonBody(event.topic, recordBody(event)) })
}
