import type { EventMessage } from "../../events/message"
import type { RedisCommands } from "./redis-commands"

export interface StreamEntry {
  readonly stream: string
  /** Names and values in turn, as XADD wants them. */
  readonly fields: readonly string[]
}

export interface StreamCommandOptions {
  readonly streamOf: (message: EventMessage) => string
  readonly haveOneTarget: boolean
  /** Null for no trimming. */
  readonly maxLength: number | null
}

/** XADD, as ioredis and as node-redis want to be asked for it. */
export function streamCommands(options: StreamCommandOptions): RedisCommands<StreamEntry> {
  const { maxLength } = options
  const trim = maxLength === null ? [] : ["MAXLEN", "~", maxLength]
  const nodeRedisTrim =
    maxLength === null ? undefined : { TRIM: { strategy: "MAXLEN", strategyModifier: "~", threshold: maxLength } }
  return {
    haveOneTarget: options.haveOneTarget,
    commandOf: (message) => ({ stream: options.streamOf(message), fields: streamFields(message) }),
    add: (pipeline, { stream, fields }) => void pipeline.xadd(stream, ...trim, "*", ...fields),
    send: async (client, { stream, fields }) =>
      client.xadd
        ? client.xadd(stream, ...trim, "*", ...fields)
        : client.xAdd?.(stream, "*", fieldsByName(fields), nodeRedisTrim),
  }
}

/** The names are what consumers read; `headers` is JSON of those that the other fields do not hold. */
function streamFields(message: EventMessage): readonly string[] {
  const { id, topic, key, occurredAt, contentType, body } = message
  const headers = JSON.stringify(furtherHeaders(message))
  return [
    ...["id", id, "topic", topic, "key", key, "occurred_at", occurredAt.toISOString()],
    ...["content_type", contentType, "headers", headers, "body", body],
  ]
}

function fieldsByName(fields: readonly string[]): Readonly<Record<string, string>> {
  const pairs: [string, string][] = []
  for (let at = 0; at < fields.length; at += 2) pairs.push([fields[at] as string, fields[at + 1] as string])
  return Object.fromEntries(pairs)
}

/** The headers less those that repeat a field. */
function furtherHeaders(message: EventMessage): Readonly<Record<string, string>> {
  const { id, topic, key, contentType } = message
  const fields: Record<string, string> = {
    "event-id": id,
    "event-type": topic,
    "event-key": key,
    "content-type": contentType,
  }
  return Object.fromEntries(Object.entries(message.headers).filter(([name, value]) => fields[name] !== value))
}
