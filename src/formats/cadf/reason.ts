import { plainText } from "../parts/context-user"
import { propertiesOf } from "../notification/told-outcome"

export interface Reason {
  readonly reasonType?: string
  /** A text, as Keystone sends it: `"401"`. */
  readonly reasonCode?: string
}

/** The `reason` of an application event's payload: a text, or an object with a type and a code, either of which may be missing. */
export function toldReason(payload: unknown): Reason | undefined {
  const { reason } = propertiesOf(payload)
  const told = propertiesOf(reason)
  const type = plainText(reason) ?? plainText(told["reasonType"] ?? told["type"] ?? told["message"])
  const code = plainText(told["reasonCode"] ?? told["code"])
  if (type === undefined && code === undefined) return undefined
  return {
    ...(type === undefined ? {} : { reasonType: type }),
    ...(code === undefined ? {} : { reasonCode: code }),
  }
}
