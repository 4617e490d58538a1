import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { resolve } from "node:path"
import type { ChangeEventsError } from "../../src/errors"
import type { OutgoingEvent } from "../../src/events/change-event"
import type { EventMessage } from "../../src/events/message"
import type { EventFormat } from "../../src/formats/format"
import { applicationEvent, changeEvent, formatEvents, scriptContext } from "./format-events"

const GOLDEN = resolve(__dirname, "../../fixtures/golden")

const named = Object.entries(formatEvents)

/**
 * What every format promises. Its messages are compared with the files of fixtures/golden/`<name>`, which
 * `UPDATE_GOLDEN=1 npx jest test/unit/formats` writes anew: read the difference before it is committed.
 */
export function describeFormat(name: string, make: () => EventFormat): void {
  describe(`the format ${name}`, () => {
    const format = make()

    it.each(named)("writes %s as its golden file says", (event, given) => {
      expect(reviewed(format(given))).toBe(golden(name, event, format(given)))
    })

    it.each(named)("gives the same bytes for %s again, also when made anew", (_, given) => {
      const first = format(given)

      expect(format(given)).toEqual(first)
      expect(make()(given)).toEqual(first)
    })

    it.each(named)("leaves %s as it was, also when it is frozen", (_, given) => {
      const before = structuredClone(given)

      expect(format(deepFrozen(structuredClone(given)))).toEqual(format(given))
      expect(given).toEqual(before)
    })

    it.each(named)("writes the keys of %s in an order of its own, not in the event's", (_, given) => {
      const reversed = Object.fromEntries(Object.entries(given).reverse()) as unknown as OutgoingEvent

      expect(format(reversed)?.body).toBe(format(given)?.body)
    })

    it.each(named)("takes id, key and time of %s over, and says its topic and content type in headers", (_, given) => {
      const message = format(given)
      if (!message) return

      expect(message).toMatchObject({ id: given.id, key: given.key, occurredAt: given.occurredAt })
      expect(message.headers).toMatchObject({
        "event-id": given.id,
        "event-key": given.key,
        "event-type": message.topic,
        "content-type": message.contentType,
      })
    })

    it.each(named)("writes compact JSON for %s", (_, given) => {
      const body = format(given)?.body ?? "null"

      expect(JSON.stringify(JSON.parse(body))).toBe(body)
    })

    it("keeps every character", () => {
      const odd = 'Zoë "quoted" \\ 😀 \u2028 \u0000 \n'
      const message = sent(format, applicationEvent("app.noted", { odd }))

      expect(textsOf(message).some((text) => text.includes(odd))).toBe(true)
    })

    it("says nothing undefined of somebody unknown", () => {
      const message = sent(format, changeEvent({ action: "delete", prechange: { id: 1 }, context: scriptContext }))

      expect(JSON.stringify(message)).not.toMatch(/undefined|"null"/)
    })

    it("shows no more of a sensitive value than the event, in which it is masked", () => {
      const message = sent(format, changeEvent({ action: "create", postchange: { id: 1, password: "***" } }))

      expect(valuesNamed("password", JSON.parse(message.body)).filter((value) => value !== "***")).toEqual([])
    })

    it("refuses a payload that JSON cannot hold, naming its topic and where", () => {
      const error = refusal(format, applicationEvent("app.noted", { user: { quota: 123_456_789n } }))

      expect(error.code).toBe("EVENT_UNSERIALIZABLE")
      expect(error.message).toContain("`app.noted`")
      expect(error.details["path"]).toMatch(/(^|\.)user\.quota$/)
      expect(error.retryable).toBe(false)
      expect(`${error.message} ${JSON.stringify(error.details)}`).not.toContain("123456789")
    })
  })
}

function sent(format: EventFormat, event: OutgoingEvent): EventMessage {
  const message = format(event)
  if (!message) throw new Error(`the format has no message for ${event.topic}`)
  return message
}

function refusal(format: EventFormat, event: OutgoingEvent): ChangeEventsError {
  try {
    format(event)
  } catch (thrown) {
    return thrown as ChangeEventsError
  }
  throw new Error("the payload was accepted")
}

/** A message as a page to read. */
function reviewed(message: EventMessage | undefined): string {
  if (!message) return "no message\n"
  return `${JSON.stringify({ ...message, body: JSON.parse(message.body) as unknown }, null, 2)}\n`
}

function golden(format: string, event: string, message: EventMessage | undefined): string {
  const path = resolve(GOLDEN, format, `${event}.txt`)
  if (process.env["UPDATE_GOLDEN"] === "1") {
    mkdirSync(resolve(GOLDEN, format), { recursive: true })
    writeFileSync(path, reviewed(message))
  }
  return readFileSync(path, "utf8")
}

function deepFrozen<T>(value: T): T {
  if (typeof value !== "object" || value === null || value instanceof Date) return value
  Object.values(value).forEach(deepFrozen)
  return Object.freeze(value)
}

/** Every text in the body, those in base64 too. */
function textsOf({ body }: EventMessage): readonly string[] {
  const texts: string[] = []
  JSON.parse(body, (_, value: unknown) => {
    if (typeof value === "string") texts.push(value, ...decoded(value))
    return value
  })
  return texts
}

function decoded(text: string): string[] {
  try {
    return Object.values(JSON.parse(Buffer.from(text, "base64").toString("utf8")) as object).map(String)
  } catch {
    return []
  }
}

function valuesNamed(name: string, value: unknown): unknown[] {
  if (typeof value !== "object" || value === null) return []
  return Object.entries(value).flatMap(([key, item]) => (key === name ? [item] : valuesNamed(name, item)))
}
