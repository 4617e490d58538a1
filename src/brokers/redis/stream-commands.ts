import { ChangeEventsError } from "../../errors"
import type { EventMessage } from "../../events/message"
import { protocolText, type CommandBytes } from "./command-bytes"
import { requireTexts } from "./message-texts"
import type { RedisCommands } from "./redis-commands"

/** A class, not a literal: docs/decisions/0007. */
class StreamEntry {
  constructor(
    readonly stream: string,
    readonly message: EventMessage,
    readonly occurredAt: string,
    /** JSON of those that the other fields do not hold. */
    readonly headers: string,
  ) {}
}

export interface StreamCommandOptions {
  readonly streamOf: (message: EventMessage) => string
  readonly haveOneTarget: boolean
  /** Null for no trimming. */
  readonly maxLength: number | null
}

const TEXTS = ["id", "topic", "key", "contentType", "body"] as const

/** What consumers read. */
const FIELDS: Readonly<Record<string, (entry: StreamEntry) => string>> = {
  id: ({ message }) => message.id,
  topic: ({ message }) => message.topic,
  key: ({ message }) => message.key,
  occurred_at: ({ occurredAt }) => occurredAt,
  content_type: ({ message }) => message.contentType,
  headers: ({ headers }) => headers,
  body: ({ message }) => message.body,
}

/** XADD, as ioredis and as node-redis want to be asked for it. */
export function streamCommands(options: StreamCommandOptions): RedisCommands<StreamEntry> {
  const { maxLength } = options
  const trim = maxLength === null ? [] : ["MAXLEN", "~", String(maxLength)]
  const nodeRedisTrim =
    maxLength === null ? undefined : { TRIM: { strategy: "MAXLEN", strategyModifier: "~", threshold: maxLength } }
  return {
    haveOneTarget: options.haveOneTarget,
    commandOf: (message) => entryOf(options.streamOf(message), message),
    add: (pipeline, entry) => pipeline.xadd(entry.stream, ...trim, "*", ...fieldsOf(entry).flat()),
    write: entryWriter(trim),
    send: async (client, entry) =>
      client.xadd
        ? client.xadd(entry.stream, ...trim, "*", ...fieldsOf(entry).flat())
        : client.xAdd?.(entry.stream, "*", Object.fromEntries(fieldsOf(entry)), nodeRedisTrim),
  }
}

/** @throws PUBLISH_FAILED, not to be tried again, for a message that lacks something */
function entryOf(stream: string, message: EventMessage): StreamEntry {
  requireTexts(message, TEXTS)
  try {
    return new StreamEntry(stream, message, message.occurredAt.toISOString(), furtherHeaders(message))
  } catch (cause) {
    const reason = (cause as Error).message
    throw new ChangeEventsError("PUBLISH_FAILED", `no entry can be made of the message: ${reason}`, {
      cause,
      retryable: false,
    })
  }
}

function fieldsOf(entry: StreamEntry): [name: string, value: string][] {
  return Object.entries(FIELDS).map(([name, valueOf]) => [name, valueOf(entry)])
}

/** What is the same in each entry is put together once, and nothing is made for one (docs/decisions/0007). */
function entryWriter(trim: readonly string[]): (bytes: CommandBytes, entry: StreamEntry) => void {
  const fields = Object.entries(FIELDS)
  const head = protocolText((bytes) => bytes.command("xadd", 2 + trim.length + 2 * fields.length))
  const behindStream = protocolText((bytes) => [...trim, "*"].forEach((part) => bytes.argument(part)))
  const written = fields.map(([name, valueOf]) => ({ name: protocolText((bytes) => bytes.argument(name)), valueOf }))
  return (bytes, entry) => {
    bytes.text(head)
    bytes.argument(entry.stream)
    bytes.text(behindStream)
    for (const { name, valueOf } of written) {
      bytes.text(name)
      bytes.argument(valueOf(entry))
    }
  }
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
