import type { OutgoingEvent } from "../../../src/events/change-event"
import { keystone, type KeystoneOptions } from "../../../src/formats/keystone"
import { aliceContext, applicationEvent, changeEvent, scriptContext } from "../../contracts/format-events"

const options: KeystoneOptions = { service: "identity", host: "host1234" }

interface Envelope {
  readonly event_type: string
  readonly publisher_id: string
  readonly priority: string
  readonly timestamp: string
  readonly payload: Readonly<Record<string, unknown>>
}

function told(event: OutgoingEvent, more: KeystoneOptions = {}): Envelope | undefined {
  const message = keystone({ ...options, ...more })(event)
  return message && (JSON.parse(message.body) as Envelope)
}

const actions = [
  ["create", "created"],
  ["update", "updated"],
  ["delete", "deleted"],
] as const

describe.each(["group", "project", "role", "user", "trust"])("the resource type %s", (model) => {
  it.each(actions.filter(([action]) => model !== "trust" || action !== "update"))(
    "notifies %s as %s",
    (action, operation) => {
      const envelope = told(changeEvent({ model, action, rowKey: "R1" }), { immutable: ["trust"] })

      expect(envelope?.event_type).toBe(`identity.${model}.${operation}`)
      expect(envelope?.payload["resource_info"]).toBe("R1")
    },
  )
})

describe("an immutable resource type", () => {
  it("has no updated notification, nor one of a transition", () => {
    const update = changeEvent({ model: "trust", action: "update" })

    expect(told(update, { immutable: ["trust"] })).toBeUndefined()
    expect(told({ ...update, transition: "disabled" }, { immutable: ["trust"] })).toBeUndefined()
    expect(told(update)?.event_type).toBe("identity.trust.updated")
  })
})

describe("the message", () => {
  it("has the event type as its topic, whatever the prefix of the event's", () => {
    const event = changeEvent({ topic: "prefix.create.identity.project" })

    expect(keystone(options)(event)?.topic).toBe("identity.project.created")
  })

  it("is from this machine unless the options name a host", () => {
    expect(JSON.parse(keystone()(changeEvent({}))?.body ?? "")).toMatchObject({
      publisher_id: expect.stringMatching(/^identity\..+/),
    })
  })

  it("has the service, the priority and the resource type that the options name", () => {
    const resourceType = () => "server"
    const envelope = told(changeEvent({}), { service: "compute", priority: "WARN", resourceType })

    expect(envelope).toMatchObject({
      event_type: "compute.server.created",
      priority: "WARN",
      publisher_id: "compute.host1234",
    })
  })

  it("has a key of several parts joined by commas, and one that holds a colon whole", () => {
    expect(told(changeEvent({ rowKey: "U1,P1" }))?.payload["resource_info"]).toBe("U1,P1")
    expect(told(changeEvent({ model: "OS-TRUST:trust", rowKey: "a:b" }))?.payload["resource_info"]).toBe("a:b")
  })

  it.each([
    ["2013-08-29T19:03:45.960Z", "2013-08-29 19:03:45.960000"],
    ["2013-08-29T19:03:45.060Z", "2013-08-29 19:03:45.060000"],
    ["2013-08-29T19:03:40.000Z", "2013-08-29 19:03:40"],
  ])("writes the time %s as %s", (time, expected) => {
    expect(told(changeEvent({ occurredAt: new Date(time) }))?.timestamp).toBe(expected)
  })

  it("has the request's id in a request or job, and none outside", () => {
    const payloadIn = (context: object) => told(changeEvent({ context: { ...scriptContext, ...context } }))?.payload

    expect(payloadIn({ changeContext: "Job" })).toHaveProperty("request_id", `req-${scriptContext.requestId}`)
    expect(payloadIn({ userName: "alice" })).toHaveProperty("request_id")
    expect(payloadIn({})).not.toHaveProperty("request_id")
  })
})

describe("members that a group gained and lost", () => {
  const change = (before: unknown, after: unknown) =>
    changeEvent({
      model: "group",
      action: "update",
      context: scriptContext,
      prechange: { members: before },
      postchange: { members: after },
    })
  const actors = { group: { members: "user" } }

  it("are told of one as Keystone tells it", () => {
    expect(told(change(["U1"], []), { actors })?.payload).toMatchObject({
      actor_id: "U1",
      actor_type: "user",
      actor_operation: "removed",
    })
  })

  it("are told of several in a list", () => {
    expect(told(change([1, 2], [2, 3]), { actors })?.payload["actors"]).toEqual([
      { actor_id: "1", actor_type: "user", actor_operation: "removed" },
      { actor_id: "3", actor_type: "user", actor_operation: "added" },
    ])
  })

  it("are not told of a list that is not named, nor of one that is masked", () => {
    expect(Object.keys(told(change([], ["U1"]))?.payload ?? {})).toEqual(["resource_info"])
    expect(Object.keys(told(change("***", "***"), { actors })?.payload ?? {})).toEqual(["resource_info"])
  })
})

describe("an application's own event", () => {
  it("has its topic as the event type, and its payload", () => {
    const envelope = told(applicationEvent("usage.report", { hours: 3 }, aliceContext))

    expect(envelope).toMatchObject({ event_type: "usage.report", payload: { hours: 3 } })
  })

  it("has null for no payload", () => {
    expect(told(applicationEvent("usage.report", undefined))?.payload).toBeNull()
  })
})

describe("an opt-out", () => {
  it.each([
    "identity.user.created",
    "identity.user.*",
    "*.created",
    "identity.user.create",
    "identity.user.created.success",
  ])("%s keeps a created user back", (pattern) => {
    expect(told(changeEvent({ model: "user" }), { optOut: [pattern] })).toBeUndefined()
  })

  it.each(["identity.user.deleted", "user.created", "identity.user.created.failure", "identity.user"])(
    "%s does not",
    (pattern) => {
      expect(told(changeEvent({ model: "user" }), { optOut: [pattern] })).toBeDefined()
    },
  )

  it("holds for an application's own events, with the outcome that the payload tells", () => {
    const refused = applicationEvent("users.user.login", { outcome: "failed" })

    expect(told(refused, { optOut: ["users.user.login.failure"] })).toBeUndefined()
    expect(told(refused, { optOut: ["users.user.login.success"] })).toBeDefined()
  })
})

describe("an option that is wrong", () => {
  it("is refused at once, with every other one and the name that was meant", () => {
    const wrong = {
      hst: "h",
      priority: "LOUD",
      immutable: "trust",
      actors: { group: { members: 1 } },
      resourceType: 1,
    }

    expect(() => keystone(wrong as unknown as KeystoneOptions)).toThrow(
      expect.objectContaining({
        code: "OPTIONS_INVALID",
        details: {
          faults: [
            "unknown option `hst`, did you mean `host`?",
            "resourceType must be a function, got 1",
            expect.stringContaining("priority must be one of"),
            "immutable must be an array of texts, got a string",
            "actors.group.members must be a text that is not empty, got 1",
          ],
        },
      }),
    )
  })

  it("is refused when it is no object", () => {
    expect(() => keystone("identity" as unknown as KeystoneOptions)).toThrow("keystone: the options must be an object")
  })

  it("is refused when the resource type that it gives is none", () => {
    const resourceType = (() => undefined) as unknown as () => string

    expect(() => told(changeEvent({}), { resourceType })).toThrow(
      expect.objectContaining({ code: "OPTIONS_INVALID", retryable: false }),
    )
  })
})
