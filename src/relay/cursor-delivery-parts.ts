import { ChangeEventsError } from "../errors"
import type { ChangeLogTables } from "../outbox/change-log-tables"
import type { LogReader } from "../outbox/logged-events"
import type { DeliveryOptions } from "../publishing/delivery-options"
import type { Report } from "../runtime/report"
import type { CursorStore } from "./cursor-store"
import { MAX_HELD_KEYS } from "./letter-store"
import type { RelayConnection } from "./relay-connection"

export interface CursorDeliveryParts {
  /** The relay's id. */
  readonly relay: string
  readonly connection: RelayConnection
  readonly tables: ChangeLogTables
  readonly store: CursorStore
  readonly reader: LogReader
  readonly report: Report
  readonly leaseMs: number
  readonly pollMs: { readonly least: number; readonly most: number }
  /** Defaults of every broker. */
  readonly delivery: Partial<DeliveryOptions>
}

/** What a relay tells of one cursor that it leads. */
export interface CursorDeliveryStatus {
  readonly broker: string
  readonly shard: number
  readonly state: "idle" | "delivering" | "waiting" | "stopped"
  readonly delivered: number
  /** Events put aside: refused for good, or waiting behind one of their row that was. */
  readonly deadLettered: number
  /** Events that were read and are still to be delivered. The log may hold more. */
  readonly queued: number
  readonly queuedBytes: number
  /**
   * How long ago the next one was written, in milliseconds, by this process's clock; 0 when all is delivered that was found, null while nobody
   * has looked.
   */
  readonly lagMs: number | null
  /** Calls that failed since the last one that did not. */
  readonly failures: number
  readonly lastError: string | null
}

export function tooManyHeld(broker: string): ChangeEventsError {
  const message = `broker ${broker} refused events of more than ${MAX_HELD_KEYS} keys: delivery waits until its dead letters are seen to`
  return new ChangeEventsError("RELAY_FAILED", message, { details: { about: broker } })
}

export function relayFailed(broker: string, cause: Error): ChangeEventsError {
  if (cause instanceof ChangeEventsError) return cause
  return new ChangeEventsError("RELAY_FAILED", `delivery to broker ${broker} waits for the database`, {
    cause,
    details: { about: broker },
  })
}
