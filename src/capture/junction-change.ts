import type { PendingEvent } from "../events/sink"
import type { ChangeBatch } from "./captured-change"
import type { RowImage, RowPair } from "./row-image"
import type { TrackedJunction } from "./tracked-relation"

const OVERHEAD_BYTES = 300

/**
 * What one statement did to a junction. It stands in the transaction log among the events, so that a savepoint's rollback takes it away
 * with them, until the COMMIT makes it part of its rows' events. By itself it is none.
 */
export class JunctionChange implements PendingEvent {
  readonly id = ""
  readonly topic = ""
  readonly isInternal = true
  readonly isDeferred = true
  readonly sizeBytes: number

  constructor(
    readonly junction: TrackedJunction,
    readonly batch: ChangeBatch,
    /** Undefined: more than may be brought here. */
    readonly rows: readonly RowPair[] | undefined,
  ) {
    this.sizeBytes = (rows ?? []).reduce((bytes, row) => bytes + textLength(row.before) + textLength(row.after), 0)
    this.sizeBytes += OVERHEAD_BYTES
  }

  resolve(): undefined {
    return undefined
  }
}

function textLength(row: RowImage = []): number {
  return row.reduce((length, text) => length + (text?.length ?? 0), 0)
}
