import type { EventMessage } from "../../events/message"
import type { RedisCommands } from "./redis-commands"
import { argument, commandHead } from "./written-batch"

export interface StreamEntry {
  readonly stream: string
  /** In the order of `FIELDS`. */
  readonly values: readonly string[]
}

export interface StreamCommandOptions {
  readonly streamOf: (message: EventMessage) => string
  readonly haveOneTarget: boolean
  /** Null for no trimming. */
  readonly maxLength: number | null
}

/** What consumers read; `headers` is JSON of those that the other fields do not hold. */
const FIELDS = ["id", "topic", "key", "occurred_at", "content_type", "headers", "body"] as const

const WRITTEN_FIELDS = FIELDS.map(argument)

/** XADD, as ioredis and as node-redis want to be asked for it. */
export function streamCommands(options: StreamCommandOptions): RedisCommands<StreamEntry> {
  const { maxLength } = options
  const trim = maxLength === null ? [] : ["MAXLEN", "~", String(maxLength)]
  const nodeRedisTrim =
    maxLength === null ? undefined : { TRIM: { strategy: "MAXLEN", strategyModifier: "~", threshold: maxLength } }
  const written = streamWriter(trim)
  return {
    haveOneTarget: options.haveOneTarget,
    commandOf: (message) => ({ stream: options.streamOf(message), values: valuesOf(message) }),
    add: (pipeline, entry, batch) => {
      if (batch) batch.add("xadd", entry.stream, written(entry))
      else pipeline.xadd(entry.stream, ...trim, "*", ...fieldsOf(entry).flat())
    },
    send: async (client, entry) =>
      client.xadd
        ? client.xadd(entry.stream, ...trim, "*", ...fieldsOf(entry).flat())
        : client.xAdd?.(entry.stream, "*", Object.fromEntries(fieldsOf(entry)), nodeRedisTrim),
  }
}

/** The text of XADD: what is the same in each is written once. */
function streamWriter(trim: readonly string[]): (entry: StreamEntry) => string {
  const head = commandHead("xadd", 2 + trim.length + 2 * FIELDS.length)
  const behindStream = [...trim, "*"].map(argument).join("")
  return ({ stream, values }) => {
    let text = head + argument(stream) + behindStream
    for (const [at, value] of values.entries()) text += (WRITTEN_FIELDS[at] as string) + argument(value)
    return text
  }
}

function fieldsOf({ values }: StreamEntry): [name: string, value: string][] {
  return FIELDS.map((name, at) => [name, values[at] as string])
}

function valuesOf(message: EventMessage): readonly string[] {
  const { id, topic, key, occurredAt, contentType, body } = message
  return [id, topic, key, occurredAt.toISOString(), contentType, furtherHeaders(message), body]
}

/** The headers less those that repeat a field. As a rule none is left. */
function furtherHeaders(message: EventMessage): string {
  const { headers } = message
  const further = Object.keys(headers).filter((name) => headers[name] !== fieldLike(name, message))
  if (further.length === 0) return "{}"
  return JSON.stringify(Object.fromEntries(further.map((name) => [name, headers[name]])))
}

function fieldLike(header: string, { id, topic, key, contentType }: EventMessage): string | undefined {
  if (header === "event-id") return id
  if (header === "event-type") return topic
  if (header === "event-key") return key
  return header === "content-type" ? contentType : undefined
}
