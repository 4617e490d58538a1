import type { EventMessage } from "../../events/message"
import type { RedisCommands } from "./redis-commands"
import { CommandBytes } from "./command-bytes"

/** A class, not a literal: docs/decisions/0007. */
class StreamEntry {
  constructor(
    readonly stream: string,
    readonly message: EventMessage,
  ) {}
}

export interface StreamCommandOptions {
  readonly streamOf: (message: EventMessage) => string
  readonly haveOneTarget: boolean
  /** Null for no trimming. */
  readonly maxLength: number | null
}

/** What consumers read; `headers` is JSON of those that the other fields do not hold. */
const FIELDS: Readonly<Record<string, (message: EventMessage) => string>> = {
  id: ({ id }) => id,
  topic: ({ topic }) => topic,
  key: ({ key }) => key,
  occurred_at: ({ occurredAt }) => occurredAt.toISOString(),
  content_type: ({ contentType }) => contentType,
  headers: furtherHeaders,
  body: ({ body }) => body,
}

/** XADD, as ioredis and as node-redis want to be asked for it. */
export function streamCommands(options: StreamCommandOptions): RedisCommands<StreamEntry> {
  const { maxLength } = options
  const trim = maxLength === null ? [] : ["MAXLEN", "~", String(maxLength)]
  const nodeRedisTrim =
    maxLength === null ? undefined : { TRIM: { strategy: "MAXLEN", strategyModifier: "~", threshold: maxLength } }
  return {
    haveOneTarget: options.haveOneTarget,
    commandOf: (message) => new StreamEntry(options.streamOf(message), message),
    add: (pipeline, entry) => pipeline.xadd(entry.stream, ...trim, "*", ...fieldsOf(entry).flat()),
    write: entryWriter(trim),
    send: async (client, entry) =>
      client.xadd
        ? client.xadd(entry.stream, ...trim, "*", ...fieldsOf(entry).flat())
        : client.xAdd?.(entry.stream, "*", Object.fromEntries(fieldsOf(entry)), nodeRedisTrim),
  }
}

function fieldsOf({ message }: StreamEntry): [name: string, value: string][] {
  return Object.entries(FIELDS).map(([name, valueOf]) => [name, valueOf(message)])
}

/**
 * What is the same in each entry is put together once, and nothing is made for one: V8 moves literals that often outlive a collection to
 * the old space right away, where even dead ones keep what they hold, here the messages, alive (measured: up to twice the processor time).
 */
function entryWriter(trim: readonly string[]): (bytes: CommandBytes, entry: StreamEntry) => void {
  const fields = Object.entries(FIELDS)
  const head = protocolText((bytes) => bytes.command("xadd", 2 + trim.length + 2 * fields.length))
  const behindStream = protocolText((bytes) => [...trim, "*"].forEach((part) => bytes.argument(part)))
  const written = fields.map(([name, valueOf]) => ({ name: protocolText((bytes) => bytes.argument(name)), valueOf }))
  return (bytes, { stream, message }) => {
    bytes.text(head)
    bytes.argument(stream)
    bytes.text(behindStream)
    for (const { name, valueOf } of written) {
      bytes.text(name)
      bytes.argument(valueOf(message))
    }
  }
}

function protocolText(write: (bytes: CommandBytes) => void): string {
  const bytes = new CommandBytes()
  write(bytes)
  return bytes.written().toString()
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
