import { CloudEvent, HTTP, type Headers } from "cloudevents"
import type { OutgoingEvent } from "../../../src/events/change-event"
import type { EventMessage } from "../../../src/events/message"
import { cloudevents, type CloudEventsOptions } from "../../../src/formats/cloudevents"
import { record } from "../../../src/formats/record"
import { aliceContext, applicationEvent, changeEvent, formatEvents, scriptContext } from "../../contracts/format-events"

const modes = ["structured", "binary"] as const
const kinds = modes.flatMap((mode) => Object.entries(formatEvents).map(([name, event]) => [mode, name, event] as const))

function sent(event: OutgoingEvent, options: Partial<CloudEventsOptions> = {}): EventMessage {
  return cloudevents({ source: "/identity", ...options })(event) as EventMessage
}

/** What the SDK of CloudEvents makes of the message; it throws for what is no event. */
function read(message: EventMessage): CloudEvent<unknown> {
  const event = HTTP.toEvent<unknown>({ headers: message.headers as Headers, body: message.body })
  if (!(event instanceof CloudEvent)) throw new Error("a batch, or no event of the SDK")
  const read = event as CloudEvent<unknown>
  read.validate()
  return read
}

function attributes(event: OutgoingEvent, options: Partial<CloudEventsOptions> = {}): Record<string, unknown> {
  return JSON.parse(sent(event, options).body) as Record<string, unknown>
}

it.each(kinds)(
  "is read by the SDK of CloudEvents in mode %s (%s), with the same attributes and data",
  (mode, _, event) => {
    const message = sent(event, { mode, dataschema: "https://example.org/schema", sequence: () => "000042" })
    const { data, ...told } = read(message).toJSON()

    expect(data).toEqual(JSON.parse(record()(event)?.body ?? ""))
    expect(told).toMatchObject({
      specversion: "1.0",
      id: event.id,
      source: "/identity",
      type: event.topic,
      time: "2013-08-29T19:03:45.960Z",
      datacontenttype: "application/json",
      dataschema: "https://example.org/schema",
      partitionkey: event.key,
      sequence: "000042",
    })
    expect(told["traceparent"]).toBe(event.context.traceparent)
  },
)

it.each(modes)("makes of the SDK's own event what the SDK makes of ours, in mode %s", (mode) => {
  const ours = read(sent(changeEvent({}), { mode }))
  const message = mode === "binary" ? HTTP.binary(ours) : HTTP.structured(ours)

  expect(read(message as unknown as EventMessage)).toEqual(ours)
})

it("leaves the record as it is in mode binary, with its content type", () => {
  const event = changeEvent({ postchange: { id: 1 } })
  const message = sent(event, { mode: "binary" })

  expect(message.body).toBe(record()(event)?.body)
  expect(message.contentType).toBe("application/json")
  expect(message.headers).not.toHaveProperty("ce-datacontenttype")
})

it("percent-encodes in headers what they cannot hold, as the HTTP binding asks", () => {
  const { headers } = sent(changeEvent({ rowKey: 'é"% 😀\n' }), { mode: "binary" })

  expect(headers["ce-subject"]).toBe("identity.project:%C3%A9%22%25%20%F0%9F%98%80%0A")
  expect(new Headers({ subject: headers["ce-subject"] ?? "" }).get("subject")).toBe(headers["ce-subject"])
})

it("has no subject and no schema where there is none", () => {
  expect(Object.keys(attributes(applicationEvent("app.noted", 1, scriptContext)))).toEqual([
    "specversion",
    "id",
    "source",
    "type",
    "time",
    "datacontenttype",
    "partitionkey",
    "authtype",
    "data",
  ])
})

it("has no sequence of its own: an event does not know its place among those of other processes", () => {
  expect(attributes(changeEvent({}))).not.toHaveProperty("sequence")
})

it("takes type and schema from functions", () => {
  const options = { type: () => "org.example.changed", dataschema: ({ topic }: OutgoingEvent) => `urn:schema:${topic}` }

  expect(attributes(changeEvent({}), options)).toMatchObject({
    type: "org.example.changed",
    dataschema: "urn:schema:create.identity.project",
  })
})

it.each([
  ["a user with an id", aliceContext, "app_user", aliceContext["userId"]],
  ["a user with a name", { ...scriptContext, userName: "alice" }, "app_user", "alice"],
  ["a request of nobody's", { ...scriptContext, changeContext: "Web" as const }, "unauthenticated", undefined],
  ["a script", scriptContext, "unknown", undefined],
])("says of %s who it is", (_, context, authtype, authid) => {
  expect(attributes(changeEvent({ context }))["authtype"]).toBe(authtype)
  expect(attributes(changeEvent({ context }))["authid"]).toBe(authid)
})

it("refuses options that are wrong, all at once", () => {
  const wrong = { sorce: "/", mode: "batched", dataschema: "schema", type: "t" }

  expect(() => cloudevents(wrong as unknown as CloudEventsOptions)).toThrow(
    expect.objectContaining({
      code: "OPTIONS_INVALID",
      details: {
        faults: [
          "unknown option `sorce`, did you mean `source`?",
          "source is needed",
          'mode must be one of "structured", "binary", got a string',
          "dataschema must be an absolute URI",
          "type must be a function, got a string",
        ],
      },
    }),
  )
})

it.each(["", "with space", "é", 7])("refuses the source %j", (source) => {
  expect(() => cloudevents({ source } as CloudEventsOptions)).toThrow(/^cloudevents: source must be/)
})

it.each(["/identity", "https://example.org/a?b#c", "urn:service:identity", "identity"])(
  "takes the source %s",
  (source) => {
    expect(attributes(changeEvent({}), { source })["source"]).toBe(source)
  },
)
