import { asError, ChangeEventsError } from "../errors"
import { changeContextKinds, type EventContext } from "../events/event-context"
import { nearestName } from "../runtime/nearest-name"
import { validTraceparent } from "../runtime/traceparent"
import { isUuid } from "../runtime/uuid"
import { furtherKeys } from "./further-keys"

const MAX_DETAIL_CHARACTERS = 400

/** `Unknown` is a finding about another program's write, so nobody may claim it. */
const openKinds: readonly string[] = changeContextKinds.filter((kind) => kind !== "Unknown")

const ownFields = ["userName", "requestId", "changeContext", "changeContextDetail", "traceparent"]

/** What a message says of an event beside its context: a further key of that name would be taken for it. */
const reservedNames = [...ownFields, "timestamp", "eventId"]

type Given = Readonly<Record<string, unknown>>

/**
 * What was given of a context, checked and ready to keep. A field that is undefined is not given. The detail is cut at 400
 * characters, a traceparent that is not valid is left out, as the W3C asks.
 *
 * @throws ChangeEventsError `CONTEXT_INVALID` listing every fault, without the values.
 */
export function contextFields(given: unknown): Partial<EventContext> {
  if (typeof given !== "object" || given === null || Array.isArray(given)) throw invalidContext(["it is not an object"])
  const fields = given as Given
  const faults = [...ownFieldFaults(fields), ...reservedNameFaults(fields)]
  const further = keptFurther(fields, faults)
  if (faults.length > 0) throw invalidContext(faults)
  return { ...further, ...ownFieldsOf(fields) }
}

/** The error for a context that cannot be opened or amended. */
export function invalidContext(faults: readonly string[]): ChangeEventsError {
  return new ChangeEventsError("CONTEXT_INVALID", `the change context is not valid: ${faults.join("; ")}`, {
    details: { faults },
  })
}

/** At most 400 characters, never half of one. */
export function cutDetail(detail: string): string {
  if (detail.length <= MAX_DETAIL_CHARACTERS) return detail
  // Twice the length holds as many characters in any case: no character takes more than two units.
  return Array.from(detail.slice(0, 2 * MAX_DETAIL_CHARACTERS))
    .slice(0, MAX_DETAIL_CHARACTERS)
    .join("")
}

function ownFieldFaults(given: Given): string[] {
  const { userName, requestId, changeContext, changeContextDetail, traceparent } = given
  const faults: string[] = []
  if (!isTextOrNull(userName)) faults.push("`userName` is not a text or null")
  if (requestId !== undefined && !isUuid(requestId)) faults.push("`requestId` is not a UUID")
  if (changeContext !== undefined) faults.push(...kindFaults(changeContext))
  if (!isTextOrNull(changeContextDetail)) faults.push("`changeContextDetail` is not a text")
  if (!isTextOrNull(traceparent)) faults.push("`traceparent` is not a text")
  return faults
}

function kindFaults(kind: unknown): string[] {
  if (typeof kind === "string" && openKinds.includes(kind)) return []
  if (kind === "Unknown") return ["`changeContext` cannot be `Unknown`: that is for the writes of other programs"]
  const nearest = typeof kind === "string" ? nearestName(kind, openKinds) : undefined
  const known = openKinds.map((name) => `\`${name}\``).join(", ")
  return [`\`changeContext\` is none of ${known}${nearest === undefined ? "" : `, did you mean \`${nearest}\`?`}`]
}

/** `username` or `user_name` would be kept as a further key, and the name be missing where everybody looks for it. */
function reservedNameFaults(given: Given): string[] {
  const faults: string[] = []
  for (const key of Object.keys(given)) {
    if (ownFields.includes(key)) continue
    const reserved = reservedNames.find((name) => lettersOf(name) === lettersOf(key))
    if (reserved === undefined) continue
    const advice = ownFields.includes(reserved) ? `, did you mean \`${reserved}\`?` : ": the event has its own"
    faults.push(`\`${key}\` cannot be a further key${advice}`)
  }
  return faults
}

function keptFurther(given: Given, faults: string[]): Given {
  const further = Object.entries(given).filter(([key]) => !ownFields.includes(key))
  try {
    return furtherKeys(Object.fromEntries(further))
  } catch (thrown) {
    faults.push(asError(thrown).message)
    return {}
  }
}

function ownFieldsOf(given: Given): Partial<EventContext> {
  const trace = validTraceparent(given["traceparent"])
  const detail = given["changeContextDetail"] as string | null | undefined
  const fields: Given = {
    userName: given["userName"],
    requestId: given["requestId"],
    changeContext: given["changeContext"],
    changeContextDetail: detail === undefined ? undefined : cutDetail(detail ?? ""),
    traceparent: trace,
  }
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
}

function isTextOrNull(value: unknown): boolean {
  return value === undefined || value === null || typeof value === "string"
}

function lettersOf(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, "")
}
