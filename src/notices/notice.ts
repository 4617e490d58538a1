import type { EntityManager } from "typeorm"
import type { EntityReference } from "../capture/capture-options"
import type { EntityRecords } from "../capture/entity-record"
import { ChangeEventsError } from "../errors"
import { isObject, nameOf } from "../runtime/option-checks"
import { unknownKeyFaults } from "../runtime/option-faults"
import type { Report } from "../runtime/report"

export interface NoticeOptions {
  /** The transaction that the event belongs to: it leaves when this one commits, and never if it does not. */
  readonly manager?: EntityManager | undefined
}

export interface RecordOptions extends NoticeOptions {
  /** What a plain object is a row of, for entities without a class (EntitySchema). Default: its class, else nothing's. */
  readonly entity?: EntityReference | undefined
}

/** What the events of users, jobs and approvals need of the rest. */
export interface NoticeEnvironment {
  readonly records: EntityRecords
  readonly report: Report
  /** The topic with the prefix before it. */
  readonly topic: (name: string) => string
  readonly publish: (
    topic: string,
    payload: unknown,
    options: NoticeOptions & { readonly key: string },
  ) => Promise<void>
}

export const recordOptionNames = ["manager", "entity"]

/** @throws ChangeEventsError OPTIONS_INVALID, with every fault of the arguments of `name` */
export function refuseFaults(name: string, faults: readonly string[]): void {
  if (faults.length === 0) return
  throw new ChangeEventsError("OPTIONS_INVALID", `${name} was given wrong arguments: ${faults.join("; ")}`, {
    details: { faults },
  })
}

/** A wrong name would leave an event outside its transaction, so unknown ones are faults. */
export function noticeOptionFaults(options: unknown, known: readonly string[]): string[] {
  if (options === undefined) return []
  if (!isObject(options)) return [`the options must be an object, got ${nameOf(options)}`]
  const { manager } = options
  const isManager = manager === undefined || (isObject(manager) && isObject(manager["dataSource"]))
  return [...unknownKeyFaults(options, known), ...(isManager ? [] : ["`manager` must be an EntityManager"])]
}
