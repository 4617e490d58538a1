import type { EntityRecords } from "../capture/entity-record"
import { currentChangeContext } from "../context/change-context"
import { errorInfo, hiddenErrorInfo, type ErrorInfo } from "./error-info"
import { jobValue } from "./job-value"
import type { Job, JobStatus } from "./job"

/** What both events of a run say. */
export interface StartedPayload {
  readonly job_result_id: string
  readonly job_name: string
  readonly user_name: string | null
  /** Absent for sensitive jobs. */
  readonly job_kwargs?: unknown
}

export interface CompletedPayload extends StartedPayload {
  /** What the job gave, null for nothing. Absent for sensitive jobs, and when it threw. */
  readonly job_output?: unknown
  readonly einfo: ErrorInfo | null
  readonly status: JobStatus
  readonly duration_ms: number | null
}

/** What became of the work. */
export type Settled = { readonly output: unknown; readonly failed: boolean } | { readonly thrown: unknown }

export function startedPayload(job: Job & { readonly id: string }, records: EntityRecords): StartedPayload {
  const { userName = currentChangeContext()?.userName ?? null } = job
  return {
    job_result_id: job.id,
    job_name: job.name,
    user_name: userName,
    ...(job.sensitive ? {} : { job_kwargs: jobValue(job.kwargs ?? {}, records) }),
  }
}

export interface Completion {
  readonly settled: Settled
  readonly sensitive: boolean
  readonly durationMs: number | undefined
}

export function completedPayload(
  started: StartedPayload,
  { settled, sensitive, durationMs }: Completion,
  records: EntityRecords,
): CompletedPayload {
  const ending = { duration_ms: durationMs === undefined ? null : Math.round(durationMs) }
  if ("thrown" in settled) {
    const einfo = sensitive ? hiddenErrorInfo(settled.thrown) : errorInfo(settled.thrown)
    return { ...started, einfo, status: "failure", ...ending }
  }
  const output = sensitive ? {} : { job_output: jobValue(settled.output, records) }
  return { ...started, ...output, einfo: null, status: settled.failed ? "failure" : "success", ...ending }
}
