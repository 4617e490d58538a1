import type { DeliveryOptions } from "../../../../src/publishing/delivery-options"
import { createDirectSink, type DirectSink } from "../../../../src/publishing/direct-sink"
import { createFakeClock, type FakeClock } from "./fake-clock"
import { recordingReport, type RecordingReport } from "./recording-report"

export interface SinkUnderTest {
  readonly sink: DirectSink
  readonly clock: FakeClock
  readonly report: RecordingReport
  /** Delivers everything accepted so far, however long its pauses are. */
  deliverAll(): Promise<void>
}

const WEEK_MS = 7 * 24 * 3_600_000

/** A sink whose time is the test's. */
export function sinkUnderTest(delivery?: Partial<DeliveryOptions>): SinkUnderTest {
  const clock = createFakeClock()
  const report = recordingReport()
  const sink = createDirectSink({ report, delivery, clock })
  return { sink, clock, report, deliverAll: () => clock.drive(sink.flush({ timeoutMs: WEEK_MS })) }
}
