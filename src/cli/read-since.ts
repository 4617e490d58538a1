import { isBigintText } from "../runtime/bigint-text"

/** A row's id of the log, or a time. Undefined when it is neither. */
export function readSince(text: string): Date | bigint | undefined {
  if (isBigintText(text)) return BigInt(text)
  const time = /^\d{4}-\d\d-\d\d/.test(text) ? new Date(text) : undefined
  return time === undefined || Number.isNaN(time.getTime()) ? undefined : time
}

export const SINCE_FAULT = "`--since` must be a time such as 2026-11-24T12:00:00Z, or the id of a row of the log"
