import type { OutgoingEvent } from "../events/change-event"
import type { EventMessage } from "../events/message"
import { oneOf } from "../runtime/option-checks"
import { attributeHeaders } from "./cloudevents/attribute-headers"
import { attributesOf, type CloudEventAttributes } from "./cloudevents/attributes"
import type { EventFormat } from "./format"
import { jsonBody } from "./json-body"
import { eventMessage } from "./parts/event-message"
import { aFunction, checkFormatOptions, text, textFrom, type FormatChecks } from "./parts/format-options"
import { recordBody } from "./parts/record-body"

export interface CloudEventsOptions {
  /** Where the events come from: a URI reference such as `/inventory` or `https://inventory.example.org`. */
  readonly source: string
  /** `structured`: the body holds attributes and data. `binary`: it is the data, the attributes are headers. Default `structured`. */
  readonly mode?: "structured" | "binary"
  /** The URI of the data's schema, or a function that gives an event's. Default: none. */
  readonly dataschema?: string | ((event: OutgoingEvent) => string)
  /** What type an event has. Default: its topic. */
  readonly type?: (event: OutgoingEvent) => string
  /**
   * The position of the event among those of its source, as a text whose alphabetical order is theirs. Default: none, for an event
   * does not know it.
   */
  readonly sequence?: (event: OutgoingEvent) => string
}

const checks: FormatChecks = {
  source: uriReference,
  mode: oneOf("structured", "binary"),
  dataschema: (value, name) => (typeof value === "function" ? [] : absoluteUri(value, name)),
  type: aFunction,
  sequence: aFunction,
}

const STRUCTURED = "application/cloudevents+json"
const DATA = "application/json"

/**
 * CloudEvents 1.0, whose data is the body of the format `record`. With the extensions partitionkey, traceparent and authcontext
 * (`authtype`, `authid`), and with sequence if the options say where it comes from.
 *
 * @throws ChangeEventsError OPTIONS_INVALID. The format itself throws EVENT_UNSERIALIZABLE for a payload that JSON cannot hold.
 */
export function cloudevents(options: CloudEventsOptions): EventFormat {
  checkFormatOptions("cloudevents", options, checks, ["source"])
  const { source, type, dataschema, sequence, mode = "structured" } = options
  const given = (name: string, value: string | ((event: OutgoingEvent) => string) | undefined, event: OutgoingEvent) =>
    typeof value === "function" ? textFrom("cloudevents", name, value(event)) : value
  return (event) => {
    const attributes = attributesOf(event, {
      source,
      type: given("type", type, event) ?? event.topic,
      dataschema: given("dataschema", dataschema, event),
      sequence: given("sequence", sequence, event),
    })
    return mode === "binary" ? binaryMessage(event, attributes) : structuredMessage(event, attributes)
  }
}

function structuredMessage(event: OutgoingEvent, attributes: CloudEventAttributes): EventMessage {
  const body = jsonBody(event.topic, { ...attributes, data: recordBody(event) ?? null })
  return eventMessage(event, { contentType: STRUCTURED, body })
}

function binaryMessage(event: OutgoingEvent, attributes: CloudEventAttributes): EventMessage {
  const body = jsonBody(event.topic, recordBody(event))
  return eventMessage(event, { contentType: DATA, headers: attributeHeaders(attributes), body })
}

function uriReference(value: unknown, name: string): string[] {
  const faults = text(value, name)
  if (faults.length > 0) return faults
  const isReference = /^[\x21-\x7e]+$/.test(value as string) && URL.canParse(value as string, "https://example.org")
  return isReference ? [] : [`${name} must be a URI or the reference of one`]
}

function absoluteUri(value: unknown, name: string): string[] {
  const faults = text(value, name)
  if (faults.length > 0) return faults
  return URL.canParse(value as string) ? [] : [`${name} must be an absolute URI`]
}
