import type { DataSource } from "typeorm"
import { sharedSymbol } from "../runtime/shared-state"
import type { Capture } from "./capture"

/** Marks our subscriber, also when it comes from another copy of this package. */
export const CAPTURE: unique symbol = sharedSymbol("capture") as typeof CAPTURE

export interface CapturingSubscriber {
  [CAPTURE](dataSource: DataSource): Capture | undefined
}

/**
 * The capture of a DataSource that has our subscriber. Asked for every builder, so that there is no enrolment to forget and nothing
 * to renew when the DataSource is destroyed and initialised again.
 */
export function findCapture(dataSource: DataSource): Capture | undefined {
  for (const subscriber of dataSource.subscribers as readonly Partial<CapturingSubscriber>[]) {
    const capture = subscriber[CAPTURE]?.(dataSource)
    if (capture) return capture
  }
  return undefined
}
