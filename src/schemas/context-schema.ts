import { changeContextKinds } from "../events/event-context"
import type { JsonSchema } from "./json-schema"

/** `context` of the format `record`. Further keys of a change context are kept, so it is open. */
export const contextSchema: JsonSchema = {
  title: "Who and why",
  type: "object",
  properties: {
    user_name: { type: ["string", "null"], description: "The account's name; null when nobody is known" },
    timestamp: { type: "string", format: "date-time", description: "When the change happened" },
    request_id: {
      type: "string",
      format: "uuid",
      description: "Shared by all changes of a request, job or transaction",
    },
    change_context: { type: "string", enum: changeContextKinds },
    change_context_detail: { type: "string", description: "Such as method and route of the request" },
    event_id: { type: "string", format: "uuid", description: "The same when the event is sent again" },
    traceparent: { type: "string", description: "W3C trace context of the write" },
  },
  required: ["user_name", "timestamp", "request_id", "change_context", "change_context_detail", "event_id"],
}

/** What a message carries beside its body, where the broker's protocol has room for it. */
export const headersSchema: JsonSchema = {
  title: "Beside the body",
  type: "object",
  properties: {
    "event-id": { type: "string", format: "uuid" },
    "event-type": { type: "string", description: "The topic" },
    "event-key": { type: "string", description: "What order is kept for: <app>.<model>:<primary key>" },
    "content-type": { type: "string" },
    traceparent: { type: "string" },
  },
}
