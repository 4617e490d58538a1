import type { ChangeEventsError, ErrorCode } from "../../../../src/errors"
import type { Report } from "../../../../src/runtime/report"

export interface RecordingReport extends Report {
  readonly errors: readonly ChangeEventsError[]
  readonly codes: readonly ErrorCode[]
}

export function recordingReport(): RecordingReport {
  const errors: ChangeEventsError[] = []
  const report = (error: ChangeEventsError): void => void errors.push(error)
  Object.defineProperty(report, "errors", { value: errors })
  Object.defineProperty(report, "codes", { get: () => errors.map(({ code }) => code) })
  return report as RecordingReport
}
