import seed from "../../../fixtures/vectors/keystone-seed.json"
import today from "../../../fixtures/vectors/keystone-today.json"
import type { OutgoingEvent } from "../../../src/events/change-event"
import type { EventContext } from "../../../src/events/event-context"
import { cadf } from "../../../src/formats/cadf"
import type { EventFormat } from "../../../src/formats/format"
import { keystone } from "../../../src/formats/keystone"
import { applicationEvent, changeEvent, scriptContext } from "../../contracts/format-events"

const RID = "671da331c47d4e29bb6ea1d270154ec3"
const OBSERVER = "9bdddeda6a0b451e9e0439646e532afd"
const ALICE = "c9f76d3c31e142af9291de2935bde98a"
const EXPIRED = `The password is expired and needs to be changed for user: ${ALICE}.`

const alice: EventContext = {
  userName: "alice",
  requestId: "11111111-1111-4111-8111-111111111111",
  changeContext: "Web",
  changeContextDetail: "",
  userId: ALICE,
  clientAddress: "127.0.0.1",
  userAgent: "curl/7.88",
}

const named = { service: "identity", host: "host1234" }
const observed = { ...named, observerId: OBSERVER }
const trustType = { resourceType: () => "OS-TRUST:trust" }
const members = { actors: { group: { members: "user" } } }

const created = (model: string, context = scriptContext) => changeEvent({ model, context, rowKey: RID, postchange: {} })
const joined = (context: EventContext) =>
  changeEvent({
    model: "group",
    action: "update",
    rowKey: "G1",
    context,
    prechange: { members: [] },
    postchange: { members: ["U1"] },
  })
const updatedProject = (part: object) =>
  changeEvent({ action: "update", rowKey: RID, prechange: { a: 1 }, postchange: { a: 2 }, ...part })
const signIn = (told: object) =>
  applicationEvent("identity.users.user.login", { data: { id: ALICE, name: "alice" }, ...told }, alice)
const grant = { user: "U1", project: "P1", role: "R1" }

interface Case {
  readonly format: EventFormat
  readonly event: OutgoingEvent
}

/** What happens here where the vector's call happened there. */
const cases: Readonly<Record<string, Case>> = {
  "ks-seed-01": { format: keystone(named), event: created("user") },
  "ks-seed-02": { format: keystone(named), event: updatedProject({ context: scriptContext }) },
  "ks-seed-03": {
    format: keystone(named),
    event: changeEvent({ model: "role", action: "delete", context: scriptContext, rowKey: RID, prechange: {} }),
  },
  "ks-seed-06": { format: keystone({ ...named, host: "otherhost" }), event: created("group") },
  "ks-seed-07": { format: keystone(named), event: created("user") },
  "ks-01": { format: keystone(named), event: created("user") },
  "ks-02": {
    format: keystone(named),
    event: updatedProject({ context: { ...alice, globalRequestId: "req-22222222-2222-4222-8222-222222222222" } }),
  },
  "ks-04": { format: keystone({ ...named, ...members }), event: joined(scriptContext) },
  "ks-07": { format: keystone(named), event: updatedProject({ transition: "disabled", context: scriptContext }) },
  "ks-13": { format: keystone({ ...named, optOut: ["identity.user.created"] }), event: created("user") },
  "ks-15": {
    format: keystone(named),
    event: { ...created("user"), occurredAt: new Date("2013-08-29T19:03:45.000Z") },
  },
  "ks-17": { format: cadf(observed), event: created("project", { ...alice, projectId: "P1" }) },
  "ks-18": { format: cadf(observed), event: created("project") },
  "ks-19": { format: cadf({ ...observed, ...trustType }), event: created("trust", alice) },
  "ks-32": { format: cadf(observed), event: signIn({ outcome: "failure" }) },
  "ks-37": {
    format: cadf({ ...observed, optOut: ["identity.authenticate.failure"] }),
    event: signIn({ outcome: "failure" }),
  },
  "ks-40": {
    format: cadf(observed),
    event: signIn({ outcome: "failure", reason: { reasonType: EXPIRED, reasonCode: 401 } }),
  },
  "ks-43": {
    format: cadf(observed),
    event: changeEvent({
      model: "roleassignment",
      context: alice,
      rowKey: "U1,P1,R1",
      postchange: { userId: "U1", projectId: "P1", roleId: "R1", inherited: false },
    }),
  },
  "ks-45": {
    format: cadf(observed),
    event: applicationEvent("identity.role_assignment.created", { ...grant, outcome: "failure" }, scriptContext),
  },
}

/** The vectors that a rule of this package overrides, each with a test of its own below; the others are passed as they are. */
const overridden = ["ks-seed-05", "ks-25", "ks-34", "ks-48"]

const vectors = [...seed, ...today]
const vector = (id: string) => vectors.find((known) => known.id === id)?.expected.messages[0]

/** The message as Keystone tells it: its ids are random there, and its clock has microseconds where an event has milliseconds. */
function asKeystoneTellsIt(body: string): unknown {
  const isId = (key: string, value: unknown) => typeof value === "string" && value.length === 36 && key === "id"
  return JSON.parse(body.replaceAll(".960000", ".960280"), (key, value: unknown) => {
    if (key === "message_id") return "$UUID4"
    return isId(key, value) ? "$CADF_ID" : value
  })
}

const messages = ({ format, event }: Case): unknown[] => {
  const message = format(event)
  return message ? [asKeystoneTellsIt(message.body)] : []
}

it.each(vectors.filter(({ id }) => !overridden.includes(id)))(
  "sends what Keystone sent in $id ($description)",
  (given) => {
    expect(messages(cases[given.id] as Case)).toEqual(given.expected.messages)
  },
)

describe("where a rule of this package overrides a vector", () => {
  it("ks-seed-05: an operation that fails makes no event, so no format is asked", () => {
    expect(seed.find(({ id }) => id === "ks-seed-05")?.expected.messages).toEqual([])
  })

  it("ks-48: a broker that raises is delivery's affair, and the message is the same for the others", () => {
    const { format, event } = cases["ks-01"] as Case

    expect(messages({ format, event })).toEqual([vector("ks-01")])
  })

  it("ks-25: the member who was added is not lost in CADF", () => {
    const expected = vector("ks-25") as { readonly payload: object }
    const actor = { actor_id: "U1", actor_type: "user", actor_operation: "added" }

    expect(messages({ format: cadf({ ...observed, ...members }), event: joined(alice) })).toEqual([
      { ...expected, payload: { ...expected.payload, ...actor } },
    ])
  })

  it("ks-34: a broker has the one format that it was given, so a sign-in is CADF only where the format is cadf", () => {
    const event = signIn({})

    expect(messages({ format: cadf({ ...observed, optOut: [] }), event })).toEqual([vector("ks-34")])
    expect(messages({ format: keystone(named), event })).toEqual([
      expect.objectContaining({ event_type: event.topic, payload: event.payload }),
    ])
  })
})
