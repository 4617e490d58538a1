import type { ApplicationEvent, ChangeAction, ChangeEvent, OutgoingEvent } from "../events/change-event"
import type { EventMessage } from "../events/message"
import type { EventFormat } from "./format"
import { jsonBody } from "./json-body"
import { eventMessage } from "./parts/event-message"
import { aFunction, checkFormatOptions, text, textFrom } from "./parts/format-options"

export interface DebeziumOptions {
  /** The logical name of the database: `source.name`, and the first part of every topic. */
  readonly name: string
  /** `source.version`. Default: the version of this package. */
  readonly version?: string
  /** `source.connector`, which some consumers tell databases apart by. Default `postgresql`. */
  readonly connector?: string
  /** `source.db`. Default: the logical name. */
  readonly database?: string
  /** `source.schema`. An event knows no schema; default: its app. */
  readonly schema?: (event: ChangeEvent) => string
  /** `source.table`. An event knows no table; default: its model. */
  readonly table?: (event: ChangeEvent) => string
}

const checks = { name: text, version: text, connector: text, database: text, schema: aFunction, table: aFunction }

/** As in package.json; a test compares the two. */
const PACKAGE_VERSION = "0.1.0"

const CONTENT_TYPE = "application/json"

const OPERATIONS: Readonly<Record<ChangeAction, string>> = { create: "c", update: "u", delete: "d" }

/**
 * The envelope of Debezium, without its schema: `before`, `after`, `source`, `op`, `ts_ms`. The topic is
 * `<name>.<schema>.<table>`, as Debezium names it. An application's own event is what `pg_logical_emit_message` gives there: `op` is
 * `m`, and the payload is in `message.content` as base64. Of a transition there is no message: its update has one.
 *
 * @throws ChangeEventsError OPTIONS_INVALID. The format itself throws EVENT_UNSERIALIZABLE for a payload that JSON cannot hold.
 */
export function debezium(options: DebeziumOptions): EventFormat {
  checkFormatOptions("debezium", options, checks, ["name"])
  return (event) => {
    if (event.kind === "application") return logicalMessage(event, options)
    return event.transition === undefined ? rowChange(event, options) : undefined
  }
}

function rowChange(event: ChangeEvent, options: DebeziumOptions): EventMessage {
  const place = placeOf(event, options)
  const topic = `${options.name}.${place.schema}.${place.table}`
  return message(event, topic, {
    before: event.prechange,
    after: event.postchange,
    source: sourceOf(event, options, place),
    op: OPERATIONS[event.action],
    ts_ms: event.occurredAt.getTime(),
    transaction: null,
  })
}

function logicalMessage(event: ApplicationEvent, options: DebeziumOptions): EventMessage {
  const content = Buffer.from(jsonBody(event.topic, event.payload), "utf8").toString("base64")
  return message(event, `${options.name}.message`, {
    source: sourceOf(event, options, { schema: "", table: "" }),
    op: "m",
    ts_ms: event.occurredAt.getTime(),
    message: { prefix: event.topic, content },
    transaction: null,
  })
}

function message(event: OutgoingEvent, topic: string, envelope: object): EventMessage {
  return eventMessage(event, { topic, contentType: CONTENT_TYPE, body: jsonBody(event.topic, envelope) })
}

interface Place {
  readonly schema: string
  readonly table: string
}

function placeOf(event: ChangeEvent, { schema, table }: DebeziumOptions): Place {
  return {
    schema: schema ? textFrom("debezium", "schema", schema(event)) : event.app,
    table: table ? textFrom("debezium", "table", table(event)) : event.model,
  }
}

function sourceOf({ occurredAt }: OutgoingEvent, options: DebeziumOptions, place: Place): object {
  const { name, version = PACKAGE_VERSION, connector = "postgresql", database = name } = options
  return { version, connector, name, ts_ms: occurredAt.getTime(), snapshot: "false", db: database, ...place }
}
