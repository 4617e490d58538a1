import type { DataSource } from "typeorm"
import { Device } from "../fixtures/inventory/device"
import type { BenchSources } from "./data-sources"

/** A real event, as the log has it. */
export interface LoggedEvent {
  readonly event: string
  readonly record: string
  readonly key: string
  /** Its id within both texts. */
  readonly eventId: string
}

/** Empties the log, and gives what an update of a device with one change leaves in it. */
export async function loggedEvent({ logged, bare }: BenchSources): Promise<LoggedEvent> {
  await bare.query("TRUNCATE change_events.log, change_events.cursor")
  const devices = logged.getRepository(Device)
  const device = await devices.save(devices.create({ name: "copied", serial: "copied", meta: { rack: 1 } }))
  await devices.update({ id: device.id }, { comments: "what differs" })
  await devices.delete({ id: device.id })
  const [row] = await bare.query<LoggedEvent[]>(
    `SELECT event, record, key, event::json ->> 'id' AS "eventId" FROM change_events.log ORDER BY id DESC OFFSET 1 LIMIT 1`,
  )
  if (!row) throw new Error("nothing was logged")
  await bare.query("TRUNCATE change_events.log")
  return row
}

/** Bytes of it in the log. */
export function bytesOf({ event, record }: LoggedEvent): number {
  return Buffer.byteLength(event) + Buffer.byteLength(record)
}

/** Puts copies of the event into the log, each of a row and with an id of its own. */
export async function logCopies(
  query: DataSource["query"],
  { event, record, key, eventId }: LoggedEvent,
  count: number,
): Promise<void> {
  await query(
    `INSERT INTO change_events.log (key, event, record)
     SELECT 'dcim.device:' || n, replace(replace($1::text, $4, uuid), $3, 'dcim.device:' || n), replace($2::text, $4, uuid)
     FROM (SELECT n, gen_random_uuid()::text AS uuid FROM generate_series(1, $5::int) AS n) AS copy`,
    [event, record, key, eventId, count],
  )
}
