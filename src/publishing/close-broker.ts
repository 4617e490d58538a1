import type { EventBroker } from "../brokers/broker"
import { ChangeEventsError } from "../errors"
import type { Report } from "../runtime/report"
import type { Clock } from "./clock"
import { readFailure } from "./failure"
import { guardedCall } from "./guarded-call"

export interface CloseBrokerOptions {
  readonly name: string
  /** How long it may take, in milliseconds. */
  readonly timeoutMs: number
  readonly clock: Clock
  readonly report: Report
}

/** Resolves when the broker is closed, or the time is over, or closing failed: that is reported, and nobody's obstacle. */
export async function closeBroker(broker: EventBroker, options: CloseBrokerOptions): Promise<void> {
  const { name, timeoutMs, clock, report } = options
  try {
    await guardedCall(() => broker.close?.(), { timeoutMs, clock, keepAlive: true })
  } catch (thrown) {
    const cause = readFailure(thrown).error
    report(
      new ChangeEventsError("BROKER_UNAVAILABLE", `broker ${name} did not close`, { cause, details: { about: name } }),
    )
  }
}
