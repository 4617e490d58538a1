import type { ApplicationEvent, ChangeEvent, OutgoingEvent } from "../../src/events/change-event"
import { differences } from "../../src/events/differences"
import type { EventContext } from "../../src/events/event-context"
import { changeTopic } from "../../src/events/topic"

/** A request of alice's. */
export const aliceContext: EventContext = {
  userName: "alice",
  requestId: "11111111-1111-4111-8111-111111111111",
  changeContext: "Web",
  changeContextDetail: "PATCH /projects/:id",
  userId: "c9f76d3c-31e1-42af-9291-de2935bde98a",
  clientAddress: "127.0.0.1",
  userAgent: "curl/7.88",
  traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
}

/** A write outside any request or job. */
export const scriptContext: EventContext = {
  userName: null,
  requestId: "22222222-2222-4222-8222-222222222222",
  changeContext: "ORM",
  changeContextDetail: "",
}

const PROJECT_ID = "671da331-c47d-4e29-bb6e-a1d270154ec3"

const project = { id: PROJECT_ID, name: "billing", enabled: true, secret: "***", parent: null }

/** An event of the identity fixtures, in which some fields are replaced. The topic, key and differences follow from the rest. */
export function changeEvent(
  part: Partial<ChangeEvent> & { readonly id?: string; readonly rowKey?: string },
): ChangeEvent {
  const { rowKey = PROJECT_ID, ...fields } = part
  const { app = "identity", model = "project", action = "create", prechange = null, postchange = null } = fields
  return {
    kind: "change",
    id: "0140cb29-0b28-7000-8000-000000000001",
    topic: changeTopic({ action: fields.transition ?? action, app, model }),
    key: `${app}.${model}:${rowKey}`,
    occurredAt: new Date("2013-08-29T19:03:45.960280Z"),
    context: aliceContext,
    action,
    app,
    model,
    prechange,
    postchange,
    differences: differences(prechange, postchange),
    ...fields,
  }
}

export function applicationEvent(
  topic: string,
  payload: unknown,
  context: EventContext = aliceContext,
): ApplicationEvent {
  return {
    kind: "application",
    id: "0140cb29-0b28-7000-8000-000000000002",
    topic,
    key: topic,
    occurredAt: new Date("2013-08-29T19:03:45.960280Z"),
    context,
    payload,
  }
}

const disabled = { action: "update", prechange: project, postchange: { ...project, enabled: false } } as const

/** One event of each kind, by the name of its golden file. */
export const formatEvents: Readonly<Record<string, OutgoingEvent>> = {
  create: changeEvent({ action: "create", postchange: project }),
  update: changeEvent({ action: "update", prechange: project, postchange: { ...project, name: "Büro ☕ 東京" } }),
  delete: changeEvent({ action: "delete", prechange: project, context: scriptContext }),
  transition: changeEvent({ ...disabled, transition: "disabled" }),
  "role-assignment": changeEvent({
    action: "create",
    model: "roleassignment",
    rowKey: "U1,P1,R1",
    postchange: { userId: "U1", projectId: "P1", roleId: "R1", inherited: false },
  }),
  application: applicationEvent("usage.report.finished", { data: { hours: 12.5, notes: null } }),
  login: applicationEvent(
    "users.user.login",
    { data: { id: "c9f76d3c31e142af9291de2935bde98a", name: "alice" } },
    { ...aliceContext, userName: null, userId: undefined },
  ),
}
