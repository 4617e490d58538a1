import { isObject, nameOf, oneOf, wholeNumber, type OptionCheck } from "../runtime/option-checks"
import { unknownKeyFaults } from "../runtime/option-faults"
import type { CursorStart } from "./cursor-registry"

export interface RelayOptions {
  /** How long a relay that says nothing any more holds its cursors, in milliseconds. Default 10 000. */
  readonly leaseMs?: number
  /** How often an idle log is asked: `least` after something was delivered, twice as long each time up to `most`. Default 5 and 1 000 ms. */
  readonly pollMs?: { readonly least: number; readonly most: number }
  /** Where a broker begins that has no cursor yet. Default "beginning": with all that the log still holds. */
  readonly startAt?: CursorStart
  /** Whether it holds a connection on which it hears of commits. Default true. */
  readonly listen?: boolean
  /** Whether it removes, once an hour, what is older than the option `retentionDays`. Default true. */
  readonly prune?: boolean
}

export const relayDefaults: Required<RelayOptions> = {
  leaseMs: 10_000,
  pollMs: { least: 5, most: 1_000 },
  startAt: "beginning",
  listen: true,
  prune: true,
}

const DAY_MS = 86_400_000
const pauseChecks = { least: wholeNumber(1, DAY_MS), most: wholeNumber(1, DAY_MS) }
const isSwitch = oneOf(true, false)

const checks: Readonly<Record<keyof RelayOptions, OptionCheck>> = {
  leaseMs: wholeNumber(1, DAY_MS),
  pollMs: pauseFaults,
  startAt: oneOf("beginning", "now"),
  listen: isSwitch,
  prune: isSwitch,
}

/** A sentence for everything wrong with the options of a relay; `others` are names that somebody else knows. */
export function relayFaults(options: unknown, others: readonly string[]): string[] {
  if (!isObject(options)) return [`the options must be an object, got ${nameOf(options)}`]
  const given = Object.entries(checks).filter(([name]) => options[name] !== undefined)
  return [
    ...unknownKeyFaults(options, [...Object.keys(checks), ...others]),
    ...given.flatMap(([name, check]) => check(options[name], name)),
  ]
}

function pauseFaults(value: unknown, name: string): string[] {
  if (!isObject(value)) return [`${name} must be an object with least and most, got ${nameOf(value)}`]
  const faults = Object.entries(pauseChecks).flatMap(([key, check]) => check(value[key], `${name}.${key}`))
  return [...unknownKeyFaults(value, Object.keys(pauseChecks), name), ...faults]
}
