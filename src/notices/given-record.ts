import { types } from "node:util"
import type { EntityRecord, RecordSource } from "../capture/entity-record"
import { asError, ChangeEventsError } from "../errors"
import type { ChangeRecord } from "../events/change-event"
import { maskedCopy } from "../runtime/masked-copy"
import { isObject, nameOf } from "../runtime/option-checks"
import type { NoticeEnvironment } from "./notice"

export interface GivenRecord extends RecordSource {
  /** What the record is, for messages and for the key of one that does not say it: `users.user`. */
  readonly subject: string
}

/**
 * The record as an event shows it: an entity by the rules of its images, a plain record as it is, with what is named like a secret
 * masked.
 *
 * @throws ChangeEventsError RECORD_INVALID, DATA_SOURCE_NOT_ATTACHED, EVENT_UNSERIALIZABLE
 */
export function givenRecord(value: unknown, given: GivenRecord, environment: NoticeEnvironment): EntityRecord {
  const { subject } = given
  if (types.isPromise(value)) throw invalid(subject, "is a promise: await it first", [])
  if (!isObject(value)) throw invalid(subject, `must be an entity or a plain record, got ${nameOf(value)}`, [])
  try {
    return environment.records.of(value, given) ?? plainRecord(value, subject, environment)
  } catch (thrown) {
    throw thrown instanceof ChangeEventsError ? thrown : unserializable(subject, asError(thrown).message, thrown)
  }
}

function plainRecord(value: object, subject: string, { records }: NoticeEnvironment): EntityRecord {
  const data = maskedCopy(value, {
    ofInstance: (instance) => (instance === value ? undefined : records.of(instance)?.data),
    unkeepable: (path, problem) => {
      throw unserializable(subject, `\`${path.join(".")}\` ${problem}`)
    },
  }) as ChangeRecord
  const { id, object_type: objectType } = data
  if (!isKey(id)) throw invalid(subject, "has no `id`, so nobody could tell whose event it is", ["id"])
  return { data, key: `${typeof objectType === "string" ? objectType : subject}:${id}` }
}

function isKey(id: unknown): id is string | number {
  return (typeof id === "string" && id !== "") || typeof id === "number"
}

function invalid(subject: string, problem: string, missing: readonly string[]): ChangeEventsError {
  return new ChangeEventsError("RECORD_INVALID", `the ${subject} record ${problem}`, { details: { missing } })
}

function unserializable(subject: string, problem: string, cause?: unknown): ChangeEventsError {
  const message = `the ${subject} record cannot be sent: ${problem}`
  return new ChangeEventsError("EVENT_UNSERIALIZABLE", message, { cause, retryable: false })
}
