import type { LoggedEvent } from "./outbox-database"

/** The same events but for what no two databases have in common: times of now, and generated UUIDs, which are numbered instead. */
export function comparableEvents(events: readonly LoggedEvent[]): unknown[] {
  const uuids: string[] = []
  const numbered = (uuid: string): string => {
    if (!uuids.includes(uuid)) uuids.push(uuid)
    return `uuid ${uuids.indexOf(uuid)}`
  }
  return events.map((event) => {
    expect(event.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    const text = JSON.stringify({ ...event, id: "", context: { ...event.context, requestId: "" } })
    const told = text.replace(/[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}/g, numbered)
    return JSON.parse(told, (_key, value: unknown) => (isNow(value) ? "now" : value)) as unknown
  })
}

function isNow(value: unknown): boolean {
  const isDate = typeof value === "string" && /^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(value)
  return isDate && Math.abs(new Date(value).getTime() - Date.now()) < 600_000
}
