import { currentChangeContext, withChangeContext } from "../context/change-context"
import { asError, ChangeEventsError } from "../errors"
import { isObject, nameOf } from "../runtime/option-checks"
import { uuidv7 } from "../runtime/uuid"
import { outcomeFaults, runFaults, toldFaults, type Job, type JobHook, type JobOutcome } from "./job"
import { completedPayload, startedPayload, type Completion, type Settled, type StartedPayload } from "./job-payload"
import { refuseFaults, type NoticeEnvironment, type NoticeOptions } from "./notice"

/** What the work of a job is handed. */
export interface JobRun {
  /** `job_result_id`. */
  readonly id: string
  /** Lets the run end as a failure although the work gives an output. */
  fail(): void
}

export type JobWork<T> = (run: JobRun) => T | Promise<T>

/** The events of jobs, `[prefix.]jobs.job.started` and `[prefix.]jobs.job.completed`. */
export interface JobEvents {
  /**
   * Runs the work in a change context of the kind `Job` and tells its start and its end. Gives what the work gives and throws what it
   * throws: an output that JSON cannot hold, or an event that cannot be sent, is no failure of the job. With `manager` both
   * events belong to that transaction.
   *
   * @throws ChangeEventsError OPTIONS_INVALID, DATA_SOURCE_NOT_ATTACHED, before the work begins
   */
  run<T>(job: Job, work: JobWork<T>, options?: NoticeOptions): Promise<T>
  /**
   * The same for work that a change triggers, in a context of the kind `Job hook`. Skipped, with undefined, when the current context
   * or that of `event` is a hook's itself: hooks would trigger one another without end. What a hook runs is a hook's, too.
   *
   * @throws ChangeEventsError as `run`
   */
  runHook<T>(hook: JobHook, work: JobWork<T>, options?: NoticeOptions): Promise<T | undefined>
  /** Tells the start of a run that happens elsewhere. @throws ChangeEventsError OPTIONS_INVALID, DATA_SOURCE_NOT_ATTACHED */
  started(job: Job & { readonly id: string | number }, options?: NoticeOptions): Promise<void>
  /** Tells its end. @throws ChangeEventsError as `started` */
  completed(job: Job & { readonly id: string | number }, outcome?: JobOutcome, options?: NoticeOptions): Promise<void>
}

type Kind = "Job" | "Job hook"

export function jobEvents(environment: NoticeEnvironment): JobEvents {
  const { records } = environment
  return {
    run: async (job, work, options) => {
      refuseFaults("jobs.run()", runFaults(job, work, options))
      return runJob(environment, { kind: isInHook() ? "Job hook" : "Job", job, work, options })
    },
    runHook: async (hook, work, options) => {
      refuseFaults("jobs.runHook()", [...runFaults(hook, work, options, ["event"]), ...triggerFaults(hook)])
      if (isInHook() || contextOf(hook, "changeContext", "change_context") === "Job hook") return undefined
      return runJob(environment, { kind: "Job hook", job: asJob(hook), work, options })
    },
    started: async (job, options) => {
      refuseFaults("jobs.started()", toldFaults(job, options))
      await tellStart(environment, startedPayload({ ...job, id: String(job.id) }, records), options)
    },
    completed: async (job, outcome, options) => {
      refuseFaults("jobs.completed()", [...toldFaults(job, options), ...outcomeFaults(outcome)])
      const started = startedPayload({ ...job, id: String(job.id) }, records)
      const { durationMs } = outcome ?? {}
      await tellEnd(
        environment,
        started,
        { settled: settledBy(outcome), sensitive: job.sensitive === true, durationMs },
        options,
      )
    },
  }
}

interface Execution<T> {
  readonly kind: Kind
  readonly job: Job
  readonly work: JobWork<T>
  readonly options: NoticeOptions | undefined
}

function runJob<T>(environment: NoticeEnvironment, { kind, job, work, options }: Execution<T>): Promise<T> {
  const id = String(job.id ?? uuidv7())
  const { name, userName, sensitive = false } = job
  const context = { changeContext: kind, changeContextDetail: name, userName, jobResultId: id }
  return withChangeContext(context, async () => {
    const started = startedPayload({ ...job, id }, environment.records)
    await tellStart(environment, started, options)
    const startedAt = performance.now()
    const settled = await settle(id, work)
    const completion = { settled, sensitive, durationMs: performance.now() - startedAt }
    await tellEnd(environment, started, completion, options).catch((cause) => reportUntold(environment, started, cause))
    if ("thrown" in settled) throw settled.thrown
    return settled.output as T
  })
}

async function settle(id: string, work: JobWork<unknown>): Promise<Settled> {
  let failed = false
  try {
    const output = await work({ id, fail: () => void (failed = true) })
    return { output, failed }
  } catch (thrown) {
    return { thrown }
  }
}

function settledBy({ output, error, status }: JobOutcome = {}): Settled {
  return error === undefined || error === null ? { output, failed: status === "failure" } : { thrown: error }
}

function tellStart(environment: NoticeEnvironment, started: StartedPayload, options?: NoticeOptions): Promise<void> {
  return environment.publish(environment.topic("jobs.job.started"), started, { ...options, key: keyOf(started) })
}

async function tellEnd(
  environment: NoticeEnvironment,
  started: StartedPayload,
  completion: Completion,
  options?: NoticeOptions,
): Promise<void> {
  const payload = completedPayload(started, completion, environment.records)
  await environment.publish(environment.topic("jobs.job.completed"), payload, { ...options, key: keyOf(started) })
}

const keyOf = ({ job_result_id: id }: StartedPayload): string => `jobs.job:${id}`

/** The job has ended as it has: that its end could not be told is for the operators. */
function reportUntold({ report }: NoticeEnvironment, { job_name: about }: StartedPayload, cause: unknown): void {
  const message = `the end of the job ${about} could not be told: ${asError(cause).message}`
  report(new ChangeEventsError("EVENT_UNSERIALIZABLE", message, { cause, details: { about } }))
}

function isInHook(): boolean {
  return currentChangeContext()?.changeContext === "Job hook"
}

function asJob({ event, ...job }: JobHook): Job {
  const userName = job.userName === undefined ? contextOf({ event }, "userName", "user_name") : job.userName
  return typeof userName === "string" || userName === null ? { ...job, userName } : job
}

/** A field of the triggering event's context, by its name in the process or in a message. */
function contextOf({ event }: Pick<JobHook, "event">, name: string, messageName: string): unknown {
  const context = event?.context as Readonly<Record<string, unknown>> | null | undefined
  return context?.[name] ?? context?.[messageName]
}

function triggerFaults(hook: unknown): string[] {
  const event = isObject(hook) ? hook["event"] : undefined
  return event === undefined || isObject(event) ? [] : [`\`event\` must be an event, got ${nameOf(event)}`]
}
