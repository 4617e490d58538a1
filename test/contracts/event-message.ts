import type { EventMessage } from "../../src/events/message"

/** A message about a device, in which some fields are replaced. */
export function eventMessage(part: Partial<EventMessage> = {}): EventMessage {
  return {
    id: "01890a5d-ac96-774b-bcce-b302099a8057",
    topic: "nautobot.update.dcim.device",
    key: "dcim.device:1",
    occurredAt: new Date("2026-01-02T03:04:05.006Z"),
    contentType: "application/json",
    headers: {},
    body: `{"id":1}`,
    ...part,
  }
}
