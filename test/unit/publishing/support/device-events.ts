import type { ChangeEvent } from "../../../../src/events/change-event"
import type { PendingEvent } from "../../../../src/events/sink"

/** A change of a device of the inventory, as capture hands it over. The id of the event is `event-<number>`. */
export function deviceEvent(
  number: number,
  overrides: Partial<PendingEvent> & { deviceId?: number } = {},
): PendingEvent {
  const { deviceId = number, topic = "update.dcim.device", ...rest } = overrides
  const id = `event-${number}`
  return { id, topic, sizeBytes: 100, resolve: () => deviceChange(id, topic, deviceId), ...rest }
}

/** So many changes, numbered from 1 (or `first`). */
export function deviceEvents(count: number, first = 1): PendingEvent[] {
  return Array.from({ length: count }, (_, index) => deviceEvent(first + index))
}

/** An event whose values cannot be read. */
export function unreadableEvent(number: number): PendingEvent {
  return deviceEvent(number, {
    resolve: () => {
      throw new Error("the driver gave no date")
    },
  })
}

function deviceChange(id: string, topic: string, deviceId: number): ChangeEvent {
  return {
    kind: "change",
    id,
    topic,
    key: `dcim.device:${deviceId}`,
    occurredAt: new Date(Date.UTC(2026, 0, 1)),
    context: { userName: "alice", requestId: id, changeContext: "Web", changeContextDetail: "PATCH /devices/:id" },
    action: "update",
    app: "dcim",
    model: "device",
    prechange: { id: deviceId, name: "sw1", status: "planned" },
    postchange: { id: deviceId, name: "sw1", status: "active" },
    differences: { added: { status: "active" }, removed: { status: "planned" } },
  }
}

/** The numbers of the events that the messages carry. */
export function numbersOf(messages: readonly { readonly id: string }[]): number[] {
  return messages.map(({ id }) => Number(id.slice("event-".length)))
}
