import { isObject, nameOf } from "../runtime/option-checks"
import { unknownKeyFaults } from "../runtime/option-faults"
import { noticeOptionFaults } from "./notice"

/** What is run. */
export interface Job {
  /** Also the detail of its change context. */
  readonly name: string
  /** The id of this run, `job_result_id`: a queue's, or your own. Default of `run`: a new UUID. */
  readonly id?: string | number | undefined
  /** Its arguments. What is named like a secret in them is masked. Default none. */
  readonly kwargs?: unknown
  /** Whether arguments, output and error text stay here. Default false. */
  readonly sensitive?: boolean | undefined
  /** On whose behalf; null for nobody's. Default: the current context's. */
  readonly userName?: string | null | undefined
}

/** A job that runs because something changed. */
export interface JobHook extends Job {
  /** What it runs for: an event that a listener got, or the body of a message. Its user is the hook's, unless `userName` is given. */
  readonly event?: HookTrigger | undefined
}

export interface HookTrigger {
  readonly context?: object | null
}

/** How a run ended. */
export interface JobOutcome {
  /** What the job gave. */
  readonly output?: unknown
  /** What it threw; null and undefined are nothing. */
  readonly error?: unknown
  /** Default: `failure` with an error, else `success`. */
  readonly status?: JobStatus | undefined
  /** How long it took, in milliseconds. Default null: not known. */
  readonly durationMs?: number | undefined
}

export type JobStatus = "success" | "failure"

const jobNames = ["name", "id", "kwargs", "sensitive", "userName"]

/** Sentences for what is wrong with the job. A `sensitive` that is mistyped would show what it was to hide. */
export function jobFaults(job: unknown, further: readonly string[] = []): string[] {
  if (!isObject(job)) return [`the job must be an object with a \`name\`, got ${nameOf(job)}`]
  const { name, id, sensitive, userName } = job
  return [
    ...unknownKeyFaults(job, [...jobNames, ...further]),
    ...(isText(name) ? [] : ["`name` must be a text that is not empty"]),
    ...(id === undefined || isId(id) ? [] : [`\`id\` must be a text or a number, got ${nameOf(id)}`]),
    ...(sensitive === undefined || typeof sensitive === "boolean" ? [] : ["`sensitive` must be true or false"]),
    ...(userName === undefined || userName === null || typeof userName === "string"
      ? []
      : ["`userName` must be a text or null"]),
  ]
}

/** The same for what starts a job here. */
export function runFaults(job: unknown, fn: unknown, options: unknown, further: readonly string[] = []): string[] {
  return [
    ...jobFaults(job, further),
    ...(typeof fn === "function" ? [] : [`the work must be a function, got ${nameOf(fn)}`]),
    ...noticeOptionFaults(options, ["manager"]),
  ]
}

/** The same for a run that is told of from outside: without its id nobody could tell which it was. */
export function toldFaults(job: unknown, options: unknown): string[] {
  const isNamed = isObject(job) && job["id"] !== undefined
  return [
    ...jobFaults(job),
    ...(isNamed ? [] : ["`id` is needed, the same for the start and the end of a run"]),
    ...noticeOptionFaults(options, ["manager"]),
  ]
}

export function outcomeFaults(outcome: unknown): string[] {
  if (outcome === undefined) return []
  if (!isObject(outcome)) return [`the outcome must be an object, got ${nameOf(outcome)}`]
  const { status, durationMs } = outcome
  const isStatus = status === undefined || status === "success" || status === "failure"
  const isDuration = durationMs === undefined || (Number.isFinite(durationMs) && (durationMs as number) >= 0)
  return [
    ...unknownKeyFaults(outcome, ["output", "error", "status", "durationMs"]),
    ...(isStatus ? [] : ['`status` must be "success" or "failure"']),
    ...(isDuration ? [] : ["`durationMs` must be a number of milliseconds"]),
  ]
}

function isText(value: unknown): boolean {
  return typeof value === "string" && value !== ""
}

function isId(value: unknown): boolean {
  return isText(value) || Number.isFinite(value)
}
