import vectors from "../../../fixtures/vectors/record-payload.json"
import type { ChangeEventsError } from "../../../src/errors"
import type { ApplicationEvent, ChangeAction, ChangeEvent, ChangeRecord } from "../../../src/events/change-event"
import { differences } from "../../../src/events/differences"
import type { ChangeContextKind, EventContext } from "../../../src/events/event-context"
import type { EventMessage } from "../../../src/events/message"
import { changeTopic } from "../../../src/events/topic"
import { record } from "../../../src/formats/record"

interface Body {
  readonly context: Readonly<Record<string, unknown>>
  readonly prechange: ChangeRecord | null
  readonly postchange: ChangeRecord | null
  readonly differences: { readonly added: ChangeRecord | null; readonly removed: ChangeRecord | null }
}

const context: EventContext = {
  userName: "alice",
  requestId: "cccccccc-0000-4000-8000-000000000001",
  changeContext: "Web",
  changeContextDetail: "PATCH /devices/:id",
}

const kinds: Readonly<Record<string, ChangeContextKind>> = { web: "Web", job: "Job" }

interface Change {
  readonly action: ChangeAction
  readonly prechange: ChangeRecord | null
  readonly postchange: ChangeRecord | null
  readonly app?: string
  readonly model?: string
  readonly context?: EventContext
}

function changeEvent(change: Change): ChangeEvent {
  const { action, prechange, postchange, app = "dcim", model = "device" } = change
  return {
    kind: "change",
    id: "0199c0de-0000-7000-8000-000000000001",
    topic: changeTopic({ prefix: "nautobot", action, app, model }),
    key: `${app}.${model}:1`,
    occurredAt: new Date(Date.UTC(2026, 0, 1)),
    context: change.context ?? context,
    action,
    app,
    model,
    prechange,
    postchange,
    differences: differences(prechange, postchange, new Set(["last_updated"])),
  }
}

function applicationEvent(payload: unknown): ApplicationEvent {
  const topic = "nautobot.users.user.login"
  return { kind: "application", id: "e1", topic, key: topic, occurredAt: new Date(0), context, payload }
}

const update: Change = {
  action: "update",
  prechange: { id: 1, name: "sw1", status: "planned" },
  postchange: { id: 1, name: "sw1", status: "active" },
}

function format(event: ChangeEvent | ApplicationEvent): EventMessage {
  return record()(event) as EventMessage
}

function bodyOf(event: ChangeEvent | ApplicationEvent): Body {
  return JSON.parse(format(event).body) as Body
}

function refusalOf(payload: unknown): ChangeEventsError {
  try {
    format(applicationEvent(payload))
  } catch (thrown) {
    return thrown as ChangeEventsError
  }
  throw new Error("the payload was accepted")
}

describe.each(vectors)("the seed's message $id ($description)", ({ input, expected }) => {
  const event = changeEvent({
    ...(input as unknown as Change),
    context: {
      userName: input.context.user_name,
      requestId: input.context.request_id,
      changeContext: kinds[input.context.kind] as ChangeContextKind,
      changeContextDetail: input.context.detail,
    },
  })

  it("has the same topic, images and differences", () => {
    const { context: _context, ...changed } = bodyOf(event)
    const { context: _expectedContext, ...expectedChange } = expected.payload

    expect(event.topic).toBe(expected.topic)
    expect(changed).toEqual(expectedChange)
  })

  it("keeps the seed's order of the attributes that differ", () => {
    const { added, removed } = bodyOf(event).differences

    expect(Object.keys(added ?? {})).toEqual(Object.keys(expected.payload.differences.added ?? {}))
    expect(Object.keys(removed ?? {})).toEqual(Object.keys(expected.payload.differences.removed ?? {}))
  })

  it("has the same context, but the timestamp in ISO 8601 and the event's id beside", () => {
    expect(bodyOf(event).context).toEqual({
      ...expected.payload.context,
      timestamp: "2026-01-01T00:00:00.000Z",
      event_id: event.id,
    })
  })
})

describe("record", () => {
  it("writes the keys in the order of the contract", () => {
    const { body } = format(changeEvent(update))

    expect(body).toBe(
      '{"context":{"user_name":"alice","timestamp":"2026-01-01T00:00:00.000Z",' +
        '"request_id":"cccccccc-0000-4000-8000-000000000001","change_context":"Web",' +
        '"change_context_detail":"PATCH /devices/:id","event_id":"0199c0de-0000-7000-8000-000000000001"},' +
        '"prechange":{"id":1,"name":"sw1","status":"planned"},"postchange":{"id":1,"name":"sw1","status":"active"},' +
        '"differences":{"added":{"status":"active"},"removed":{"status":"planned"}}}',
    )
  })

  it("says null when nobody is known", () => {
    const body = bodyOf(changeEvent({ ...update, context: { ...context, userName: null } }))

    expect(body.context["user_name"]).toBeNull()
  })

  it("puts further keys of the context last, in snake_case, and leaves what they hold as it is", () => {
    const further = { clientAddress: "::1", userID: 7, HTTPVersion: "1.1", already_snake: { innerKey: 1 } }
    const body = bodyOf(changeEvent({ ...update, context: { ...context, ...further } }))

    expect(Object.entries(body.context).slice(6)).toEqual([
      ["client_address", "::1"],
      ["user_id", 7],
      ["http_version", "1.1"],
      ["already_snake", { innerKey: 1 }],
    ])
  })

  it("lets no further key replace what the event says of itself", () => {
    const body = bodyOf(
      changeEvent({ ...update, context: { ...context, user_name: "mallory", eventId: "x", timestamp: 0 } }),
    )

    expect(body.context).toMatchObject({ user_name: "alice", timestamp: "2026-01-01T00:00:00.000Z" })
    expect(body.context["event_id"]).toBe("0199c0de-0000-7000-8000-000000000001")
  })

  it("takes id, topic, key and time over from the event", () => {
    const event = changeEvent(update)
    const { id, topic, key, occurredAt, contentType } = format(event)

    expect({ id, topic, key, occurredAt }).toEqual({
      id: event.id,
      topic: "nautobot.update.dcim.device",
      key: "dcim.device:1",
      occurredAt: event.occurredAt,
    })
    expect(contentType).toBe("application/json")
  })

  it("puts into headers what the body has no place for", () => {
    expect(format(changeEvent(update)).headers).toEqual({
      "event-id": "0199c0de-0000-7000-8000-000000000001",
      "event-type": "nautobot.update.dcim.device",
      "event-key": "dcim.device:1",
      "content-type": "application/json",
    })
  })

  it("passes the request's trace on", () => {
    const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    const event = changeEvent({ ...update, context: { ...context, traceparent } })

    expect(format(event).headers["traceparent"]).toBe(traceparent)
    expect(bodyOf(event).context["traceparent"]).toBe(traceparent)
  })

  it("gives the same bytes for the same event", () => {
    const event = changeEvent(update)

    expect(format(event)).toEqual(format(event))
  })
})

describe("record of an application's own event", () => {
  it.each<[string, unknown, string]>([
    ["an object", { data: { name: "alice" } }, '{"data":{"name":"alice"}}'],
    ["a list", [1, "a"], '[1,"a"]'],
    ["a text", "hello", '"hello"'],
    ["null", null, "null"],
    ["nothing", undefined, "null"],
    ["what toJSON makes of it", new Date(0), '"1970-01-01T00:00:00.000Z"'],
  ])("has %s as its body", (_, payload, expected) => {
    expect(format(applicationEvent(payload)).body).toBe(expected)
  })

  it("refuses a payload that holds itself, naming where", () => {
    const job: { steps: unknown[] } = { steps: [] }
    job.steps.push({ name: "s3cret" }, { parent: job })
    const error = refusalOf({ job })

    expect(error.code).toBe("EVENT_UNSERIALIZABLE")
    expect(error.message).toBe(
      "event `nautobot.users.user.login` cannot be sent: JSON cannot hold the value at `job.steps.1.parent`",
    )
    expect(error.details).toEqual({ topic: "nautobot.users.user.login", path: "job.steps.1.parent" })
    expect(error.retryable).toBe(false)
  })

  it("refuses a bigint, naming where and not what", () => {
    const error = refusalOf({ user: { quota: 123_456_789n } })

    expect(error.details["path"]).toBe("user.quota")
    expect(`${error.message} ${JSON.stringify(error.details)}`).not.toContain("123456789")
  })

  it("refuses a payload that throws when it is read", () => {
    const broken = {
      toJSON(): never {
        throw new Error("not loaded")
      },
    }
    const error = refusalOf({ broken })

    expect(error.details["path"]).toBe("broken")
    expect(error.cause).toEqual(new Error("not loaded"))
  })

  it("refuses what is no payload", () => {
    expect(refusalOf(() => 1).message).toContain("JSON cannot hold its payload")
    expect(refusalOf(1n).details["path"]).toBe("")
  })
})
