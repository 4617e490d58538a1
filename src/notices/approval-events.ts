import { givenRecord } from "./given-record"
import {
  noticeOptionFaults,
  recordOptionNames,
  refuseFaults,
  type NoticeEnvironment,
  type RecordOptions,
} from "./notice"

/**
 * What became of a job that needs approval, `[prefix.]jobs.approval.…`: the record of the scheduled job as it is now, with the rows
 * that were loaded with it.
 */
export interface ApprovalEvents {
  /** @throws ChangeEventsError RECORD_INVALID, OPTIONS_INVALID, DATA_SOURCE_NOT_ATTACHED */
  approved(record: object, options?: RecordOptions): Promise<void>
  /** @throws ChangeEventsError as `approved` */
  denied(record: object, options?: RecordOptions): Promise<void>
  /** @throws ChangeEventsError as `approved` */
  canceled(record: object, options?: RecordOptions): Promise<void>
}

export function approvalEvents(environment: NoticeEnvironment): ApprovalEvents {
  const send = (decision: keyof ApprovalEvents) => async (record: object, options?: RecordOptions) => {
    refuseFaults(`approvals.${decision}()`, noticeOptionFaults(options, recordOptionNames))
    const { manager, entity } = options ?? {}
    const { data, key } = givenRecord(
      record,
      { subject: "jobs.approval", entity, dataSource: manager?.dataSource },
      environment,
    )
    await environment.publish(environment.topic(`jobs.approval.${decision}`), { data }, { manager, key })
  }
  return { approved: send("approved"), denied: send("denied"), canceled: send("canceled") }
}
