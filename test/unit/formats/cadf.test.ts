import type { OutgoingEvent } from "../../../src/events/change-event"
import { cadf, type CadfOptions } from "../../../src/formats/cadf"
import { aliceContext, applicationEvent, changeEvent, scriptContext } from "../../contracts/format-events"

const USER = "c9f76d3c31e142af9291de2935bde98a"

interface CadfEvent {
  readonly id: string
  readonly action: string
  readonly outcome: string
  readonly initiator?: Readonly<Record<string, unknown>>
  readonly target: { readonly id: string; readonly typeURI: string }
  readonly reason?: object
  readonly resource_info?: string
  readonly [key: string]: unknown
}

interface Told {
  readonly event_type: string
  readonly payload: CadfEvent
}

function told(event: OutgoingEvent, options: CadfOptions = {}): Told | undefined {
  const message = cadf({ host: "host1234", ...options })(event)
  return message && (JSON.parse(message.body) as Told)
}

const payload = (event: OutgoingEvent, options: CadfOptions = { optOut: [] }) => told(event, options)?.payload
const login = (part: object) =>
  applicationEvent("nautobot.users.user.login", { data: { id: USER, name: "alice" }, ...part })

describe("the type URI of a target", () => {
  it.each([
    ["user", "data/security/account/user"],
    ["group", "data/security/group"],
    ["trust", "data/security/trust"],
    ["credential", "unknown"],
    ["constructor", "unknown"],
  ])("of %s is %s", (model, typeURI) => {
    expect(payload(changeEvent({ model }))?.target.typeURI).toBe(typeURI)
  })

  it("is the options' own, if they have one", () => {
    const typeURIs = { device: "compute/machine" }

    expect(payload(changeEvent({ model: "device" }), { typeURIs })?.target.typeURI).toBe("compute/machine")
  })
})

describe("the action", () => {
  it.each([
    ["disabled", "disabled.project"],
    ["retired", "update/retired.project"],
  ])("of the transition %s is %s, which begins with a verb of CADF", (transition, action) => {
    expect(payload(changeEvent({ action: "update", transition }))?.action).toBe(action)
  })
})

describe("the initiator", () => {
  const initiator = (context: object) => payload(changeEvent({ context: { ...scriptContext, ...context } }))?.initiator

  it("is absent when nothing is known", () => {
    expect(initiator({})).toBeUndefined()
  })

  it("has a user's id that is no UUID made into one, and itself beside, as Keystone does it", () => {
    expect(initiator({ userId: "alice@example.org" })).toMatchObject({
      id: "5b990a9600a4528399635ea68e7b7bbe",
      user_id: "alice@example.org",
    })
  })

  it.each([USER, "c9f76d3c-31e1-42af-9291-de2935bde98a"])("keeps the UUID %s as it is", (userId) => {
    expect(initiator({ userId })?.["id"]).toBe(userId)
  })

  it("has a name without an id, and an id that is a number", () => {
    expect(initiator({ userName: "alice" })).toMatchObject({ name: "alice", username: "alice" })
    expect(initiator({ userName: "alice" })).not.toHaveProperty("user_id")
    expect(initiator({ userId: 7 })?.["user_id"]).toBe("7")
  })

  it("is somebody unknown at a known address", () => {
    expect(initiator({ clientAddress: "192.0.2.7", changeContext: "Web" })).toMatchObject({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      host: { address: "192.0.2.7" },
    })
  })
})

describe("a sign-in", () => {
  it("that succeeded is kept back by default, one that failed is not", () => {
    expect(told(login({}), {})).toBeUndefined()
    expect(told(login({ outcome: "pending" }), {})).toBeUndefined()
    expect(told(login({ outcome: "failure" }), {})?.event_type).toBe("identity.authenticate")
  })

  it("is that of whom the payload names, for the request knows nobody yet", () => {
    const event = { ...login({}), context: { ...aliceContext, userName: null, userId: undefined } }

    expect(payload(event)?.initiator).toMatchObject({ id: USER, user_id: USER, name: "alice" })
  })

  it.each(["identity.authenticate.failure", "identity.authenticate.failed", "identity.authenticate*", "*.failed"])(
    "that failed is kept back by %s",
    (pattern) => {
      expect(told(login({ outcome: "failed" }), { optOut: [pattern] })).toBeUndefined()
    },
  )

  it("that failed is told as `changes.users.loginFailed` tells it", () => {
    const refused = applicationEvent(
      "users.user.login_failed",
      {
        data: { user_name: "mallory" },
        outcome: "failure",
        reason: { type: "no such user", code: null },
        method: null,
      },
      { ...scriptContext, changeContext: "Web", clientAddress: "192.0.2.7" },
    )

    expect(told(refused)).toMatchObject({
      event_type: "identity.authenticate",
      payload: {
        outcome: "failure",
        initiator: { name: "mallory", host: { address: "192.0.2.7" } },
        reason: { reasonType: "no such user" },
      },
    })
  })

  it("may have any topic", () => {
    const event = applicationEvent("sso.accepted", { data: { id: USER } })

    expect(told(event, { authenticate: ["sso.*"], optOut: [] })?.event_type).toBe("identity.authenticate")
    expect(told(login({}), { authenticate: [], optOut: [] })?.event_type).toBe("nautobot.users.user.login")
  })

  it.each<[unknown, object | undefined]>([
    [
      { reasonType: "locked", reasonCode: 401 },
      { reasonType: "locked", reasonCode: "401" },
    ],
    [
      { type: "locked", code: "401" },
      { reasonType: "locked", reasonCode: "401" },
    ],
    ["locked", { reasonType: "locked" }],
    [{ reasonType: "without a code" }, { reasonType: "without a code" }],
    [{ code: 401 }, { reasonCode: "401" }],
    [{}, undefined],
    [null, undefined],
    [["a"], undefined],
  ])("with the reason %j tells %j", (reason, expected) => {
    expect(payload(login({ outcome: "failure", reason }))?.reason).toEqual(expected)
  })

  it.each([null, undefined, "alice", { data: null }, {}])(
    "of a user without attributes (%j) is told all the same",
    (given) => {
      const event = applicationEvent("users.user.login", given, scriptContext)

      expect(payload(event)).toMatchObject({ action: "authenticate", outcome: "success" })
      expect(payload(event)).not.toHaveProperty("initiator")
    },
  )
})

describe("a password change", () => {
  const changed = (part: object, topic = "users.user.change_password") =>
    applicationEvent(topic, { data: { id: USER }, ...part })

  it("that was refused is a failure, where Keystone says success", () => {
    const refused = changed({ outcome: "failure", reason: { reasonType: "too short", reasonCode: "400" } })

    expect(told(refused)).toMatchObject({
      event_type: "identity.user.updated",
      payload: {
        action: "updated.user",
        outcome: "failure",
        reason: { reasonType: "too short", reasonCode: "400" },
        target: { id: USER, typeURI: "data/security/account/user" },
        resource_info: USER,
      },
    })
  })

  it("of an administrator's is the administrator's, on the user", () => {
    const event = payload(changed({}, "nautobot.admin.user.change_password"))

    expect(event?.initiator?.["name"]).toBe("alice")
    expect(event?.resource_info).toBe(USER)
  })
})

describe("a role assignment", () => {
  it("has the same target when it is deleted as when it was created", () => {
    const row = { userId: "U1", projectId: "P1", roleId: "R1", inherited: true }
    const assignment = { model: "roleassignment", rowKey: "U1,P1,R1" }
    const created = payload(changeEvent({ ...assignment, action: "create", postchange: row }))
    const deleted = told(changeEvent({ ...assignment, action: "delete", prechange: row }))

    expect(deleted?.event_type).toBe("identity.role_assignment.deleted")
    expect(deleted?.payload).toMatchObject({ target: created?.target, user: "U1", inherited_to_projects: true })
    expect(deleted?.payload).not.toHaveProperty("resource_info")
  })

  it("that was refused comes from an application's event, a group's in a domain too", () => {
    const event = applicationEvent("identity.role_assignment.deleted", {
      data: { groupId: "G1", domain_id: "D1", role: "R1" },
      outcome: "failure",
    })

    expect(told(event)).toMatchObject({
      event_type: "identity.role_assignment.deleted",
      payload: { action: "deleted.role_assignment", outcome: "failure", group: "G1", domain: "D1", role: "R1" },
    })
  })
})

describe("any other event of an application", () => {
  it("is attached, with the outcome that it tells", () => {
    const event = applicationEvent("quota.checked", { outcome: "failure", left: 0 })

    expect(told(event)).toMatchObject({
      event_type: "quota.checked",
      payload: {
        action: "unknown",
        outcome: "failure",
        attachments: [{ typeURI: "mime:application/json", content: { outcome: "failure", left: 0 }, name: "payload" }],
      },
    })
  })
})

it("tells of a job that failed as a failure", () => {
  const completed = (status: string) => applicationEvent("jobs.job.completed", { job_name: "sync", status })

  expect(payload(completed("failure"))?.outcome).toBe("failure")
  expect(payload(completed("success"))?.outcome).toBe("success")
})

it("makes the ids of events in the namespace of the options", () => {
  const event = changeEvent({})

  expect(payload(event)?.id).toBe(payload(event, { namespace: "openstack" })?.id)
  expect(payload(event)?.id).not.toBe(payload(event, { namespace: "ours" })?.id)
})

it("refuses options that are wrong, all at once", () => {
  const wrong = { typeURI: {}, observerId: "", authenticate: [1] }

  expect(() => cadf(wrong as unknown as CadfOptions)).toThrow(
    "cadf: unknown option `typeURI`, did you mean `typeURIs`?; observerId must be a text that is not empty, got a string; " +
      "authenticate[0] must be a text that is not empty, got 1",
  )
})
