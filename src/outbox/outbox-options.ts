import { isObject, nameOf, wholeNumber, type OptionCheck } from "../runtime/option-checks"
import { unknownKeyFaults } from "../runtime/option-faults"

/** Where the change log is, and how long it is kept. The migration must be given the same names. */
export interface OutboxOptions {
  /** The schema of its tables. Default `change_events`. */
  readonly schema?: string
  /** Put before the name of each table, for a schema that others use too. Default none. */
  readonly tablePrefix?: string
  /** How many days a change stays in the log after every broker had it, for `history` and `replay`. Default 30. */
  readonly retentionDays?: number
}

export const outboxDefaults = { schema: "change_events", tablePrefix: "", retentionDays: 30 } as const

/** So that every name that is made of it fits into Postgres' 63 bytes. */
const MAX_PREFIX_LENGTH = 32

const name: OptionCheck = (value, path) =>
  typeof value === "string" && /^[A-Za-z_][A-Za-z0-9_$]*$/.test(value) && value.length <= MAX_PREFIX_LENGTH
    ? []
    : [`${path} must be a name of at most ${MAX_PREFIX_LENGTH} letters, digits and underscores`]

const checks: Readonly<Record<keyof OutboxOptions, OptionCheck>> = {
  schema: name,
  tablePrefix: name,
  retentionDays: wholeNumber(1, 36_500),
}

/** A sentence for everything wrong with the option `outbox`. */
export function outboxFaults(value: unknown, path: string): string[] {
  if (!isObject(value)) return [`${path} must be an object, got ${nameOf(value)}`]
  const given = Object.entries(checks).filter(([key]) => value[key] !== undefined)
  return [
    ...unknownKeyFaults(value, Object.keys(checks), path),
    ...given.flatMap(([key, check]) => check(value[key], `${path}.${key}`)),
  ]
}
