import { prefixedTopic } from "../events/topic"
import { nullable, type JsonSchema } from "./json-schema"

/** An event of users, jobs or approvals, which no entity's columns describe. */
export interface DescribedNotice {
  readonly topic: string
  readonly name: string
  readonly title: string
  readonly payload: JsonSchema
}

const text: JsonSchema = { type: "string" }

/** `{ data }`: a row, as the entity's options show it, or the record that was given. */
const record: JsonSchema = {
  type: "object",
  properties: { data: { type: "object" }, method: nullable(text) },
  required: ["data"],
}

const failedSignIn: JsonSchema = {
  type: "object",
  properties: {
    data: { type: "object", properties: { user_name: nullable(text) }, required: ["user_name"] },
    outcome: { const: "failure" },
    reason: { type: "object", properties: { type: text, code: nullable(text) }, required: ["type"] },
    method: nullable(text),
  },
  required: ["data", "outcome", "reason"],
}

const job: Readonly<Record<string, JsonSchema>> = {
  job_result_id: text,
  job_name: text,
  user_name: nullable(text),
  job_kwargs: {},
}
const jobKeys = ["job_result_id", "job_name", "user_name"]

const jobStarted: JsonSchema = { type: "object", properties: job, required: jobKeys }

const jobCompleted: JsonSchema = {
  type: "object",
  properties: {
    ...job,
    job_output: {},
    einfo: nullable({ type: "object" }),
    status: text,
    duration_ms: { type: ["number", "null"] },
  },
  required: [...jobKeys, "einfo", "status"],
}

const notices: readonly (readonly [name: string, title: string, payload: JsonSchema])[] = [
  ["users.user.login", "User signed in", record],
  ["users.user.login_failed", "User failed to sign in", failedSignIn],
  ["users.user.logout", "User signed out", record],
  ["users.user.change_password", "User changed the password", record],
  ["admin.user.change_password", "Administrator changed a user's password", record],
  ["jobs.job.started", "Job started", jobStarted],
  ["jobs.job.completed", "Job completed", jobCompleted],
  ["jobs.approval.approved", "Job approved", record],
  ["jobs.approval.denied", "Job denied", record],
  ["jobs.approval.canceled", "Approval canceled", record],
]

/** What `changes.users`, `admin`, `jobs` and `approvals` send. */
export function describedNotices(topicPrefix?: string): DescribedNotice[] {
  return notices.map(([name, title, payload]) => ({ topic: prefixedTopic(topicPrefix, name), name, title, payload }))
}
