import type { DataSource } from "typeorm"
import { datasetKeys } from "../../fixtures/dataset"
import { Device } from "../../fixtures/inventory/device"
import type { ChangeEvent, ChangeEvents } from "../../src"
import type { Narration, ShownRequest } from "./narration"

const { addresses, devices, interfaces, sites } = datasetKeys

interface Step {
  readonly title: string
  /** Several are sent at the same time. */
  readonly requests: readonly ShownRequest[]
  /** What the reader should notice. */
  readonly note: string
  readonly expected: { readonly status: number; readonly events: number }
}

export interface Story {
  readonly requests: number
  /** Committed row changes, counted by a listener of the package. */
  readonly events: number
  /** What was not as it should be; empty when all is well. */
  readonly surprises: readonly string[]
}

const steps: readonly Step[] = [
  {
    title: "Create: one save(). Key, defaults and dates are as the database made them.",
    requests: [{ user: "alice", method: "POST", path: "/devices", body: { name: "sw2", siteId: sites.berlin } }],
    note: "",
    expected: { status: 201, events: 1 },
  },
  {
    title: "Update: only what differs. Version and update date do not count as a difference.",
    requests: [{ user: "alice", method: "PATCH", path: `/devices/${devices.router}`, body: { status: "failed" } }],
    note: "",
    expected: { status: 200, events: 1 },
  },
  {
    title: "Bulk: one UPDATE … WHERE, no entity loaded. An event for each row, with its old and new value.",
    requests: [{ user: "bob", method: "POST", path: `/sites/${sites.berlin}/stage` }],
    note: "",
    expected: { status: 200, events: 2 },
  },
  {
    title: "Rollback: the transaction updates a device and its ports, then is refused.",
    requests: [{ user: "bob", method: "POST", path: `/devices/${devices.router}/retire` }],
    note: "Three rows were written, then undone: the old values stand, and nobody heard of the new ones.",
    expected: { status: 409, events: 0 },
  },
  {
    title: "Delete: the whole row, as it was last.",
    requests: [{ user: "alice", method: "DELETE", path: `/devices/${devices.spare}` }],
    note: "",
    expected: { status: 204, events: 1 },
  },
  {
    title: "Soft delete: the row stays in its table, but for everybody else it is gone.",
    requests: [{ user: "bob", method: "DELETE", path: `/addresses/${addresses.loose}` }],
    note: "",
    expected: { status: 204, events: 1 },
  },
  {
    title: "At the same time: alice and bob, two requests each. Every event knows whose it is.",
    requests: [
      { user: "alice", method: "PATCH", path: `/interfaces/${interfaces.uplink}`, body: { mtu: 1500 } },
      { user: "bob", method: "PATCH", path: `/interfaces/${interfaces.downlink}`, body: { mtu: 1501 } },
      { user: "alice", method: "PATCH", path: `/interfaces/${interfaces.port1}`, body: { enabled: true } },
      { user: "bob", method: "PATCH", path: `/interfaces/${interfaces.bond}`, body: { enabled: false } },
    ],
    note: "",
    expected: { status: 204, events: 4 },
  },
]

export interface StoryOptions {
  readonly url: string
  readonly dataSource: DataSource
  readonly changes: ChangeEvents
  readonly narration: Narration
}

/** Sends each step's requests, and waits for their events before the next. */
export async function sendRequests({ url, dataSource, changes, narration }: StoryOptions): Promise<Story> {
  const events: ChangeEvent[] = []
  const surprises: string[] = []
  const stopCounting = changes.on("*", (event) => {
    if (event.kind === "change") events.push(event)
  })
  for (const [index, { title, requests, note, expected }] of steps.entries()) {
    const before = events.length
    narration.step(index + 1, title)
    for (const request of requests) narration.request(request)
    const statuses = await Promise.all(requests.map((request) => send(url, request)))
    await changes.flush()
    const told = events.slice(before)
    narration.answer(statuses[0] as number, told.length)
    if (note) narration.note(note)
    surprises.push(...surprisesOf(index + 1, { statuses, told, requests, expected }))
  }
  stopCounting()
  surprises.push(...(await wasNotRolledBack(dataSource)))
  return { requests: steps.flatMap((step) => step.requests).length, events: events.length, surprises }
}

async function send(url: string, { user, method, path, body }: ShownRequest): Promise<number> {
  const headers = { "x-user": user, "content-type": "application/json" }
  const response = await fetch(`${url}${path}`, { method, headers, body: body && JSON.stringify(body) })
  await response.arrayBuffer()
  return response.status
}

interface Outcome extends Pick<Step, "requests" | "expected"> {
  readonly statuses: readonly number[]
  readonly told: readonly ChangeEvent[]
}

/** The demo would rather fail than show what is not true. */
function surprisesOf(step: number, { statuses, told, requests, expected }: Outcome): string[] {
  const users = new Set(requests.map(({ user }) => user))
  const strangers = told.filter(({ context }) => !users.has(context.userName ?? ""))
  return [
    ...statuses.filter((status) => status !== expected.status).map((status) => `step ${step} answered ${status}`),
    ...(told.length === expected.events ? [] : [`step ${step} told ${told.length} events`]),
    ...strangers.map(({ topic }) => `step ${step} told ${topic} without its user`),
  ]
}

async function wasNotRolledBack(dataSource: DataSource): Promise<string[]> {
  const router = await dataSource.manager.findOneByOrFail(Device, { id: devices.router })
  return router.status === "retired" ? ["the refused transaction was committed"] : []
}
