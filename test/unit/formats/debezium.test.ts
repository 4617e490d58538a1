import { version } from "../../../package.json"
import type { OutgoingEvent } from "../../../src/events/change-event"
import { debezium, type DebeziumOptions } from "../../../src/formats/debezium"
import { applicationEvent, changeEvent } from "../../contracts/format-events"

function envelope(event: OutgoingEvent, options: Partial<DebeziumOptions> = {}): Record<string, unknown> {
  return JSON.parse(debezium({ name: "shop", ...options })(event)?.body ?? "null") as Record<string, unknown>
}

it.each([
  ["create", "c", null, { id: 1 }],
  ["update", "u", { id: 1, a: 1 }, { id: 1, a: 2 }],
  ["delete", "d", { id: 1 }, null],
] as const)("tells of a %s as %s, with both images", (action, op, before, after) => {
  const event = changeEvent({ action, prechange: before, postchange: after })

  expect(envelope(event)).toMatchObject({ op, before, after, ts_ms: event.occurredAt.getTime(), transaction: null })
})

it("names the source as the options do", () => {
  const options = {
    version: "2.7.0.Final",
    connector: "own",
    database: "orders",
    schema: () => "public",
    table: () => "device",
  }

  expect(envelope(changeEvent({}), options)["source"]).toEqual({
    version: "2.7.0.Final",
    connector: "own",
    name: "shop",
    ts_ms: 1377803025960,
    snapshot: "false",
    db: "orders",
    schema: "public",
    table: "device",
  })
  expect(debezium({ name: "shop", ...options })(changeEvent({}))?.topic).toBe("shop.public.device")
})

it("has the version of this package by default", () => {
  expect(envelope(changeEvent({}))["source"]).toMatchObject({ version, connector: "postgresql", db: "shop" })
})

it("says nothing of what it cannot know: the position in the log and the transaction's number", () => {
  const source = envelope(changeEvent({}))["source"] as object

  expect(Object.keys(source)).not.toEqual(expect.arrayContaining(["lsn"]))
  expect(Object.keys(source)).not.toEqual(expect.arrayContaining(["txId"]))
})

it("tells of a transition once, as the update that it is", () => {
  const update = changeEvent({ action: "update", prechange: { a: 1 }, postchange: { a: 2 } })

  expect(debezium({ name: "shop" })(update)).toBeDefined()
  expect(debezium({ name: "shop" })({ ...update, transition: "disabled" })).toBeUndefined()
})

it("tells of an application's event as Postgres's logical messages are told", () => {
  const event = applicationEvent("usage.report", { hours: 3 })
  const { op, message } = envelope(event) as { op: string; message: { prefix: string; content: string } }

  expect(op).toBe("m")
  expect(message.prefix).toBe("usage.report")
  expect(JSON.parse(Buffer.from(message.content, "base64").toString("utf8"))).toEqual({ hours: 3 })
  expect(debezium({ name: "shop" })(event)?.topic).toBe("shop.message")
})

it("refuses options that are wrong, all at once", () => {
  expect(() => debezium({ nam: "shop", table: "t" } as unknown as DebeziumOptions)).toThrow(
    "debezium: unknown option `nam`, did you mean `name`?; name is needed; table must be a function, got a string",
  )
})
