import { ChangeEventsError } from "../../errors"
import { unknownKeyFaults } from "../../runtime/option-faults"
import type { OptionCheck } from "./option-checks"

export interface CheckedOptions {
  /** The factory the options were given to, such as `redisBroker`. */
  readonly factory: string
  readonly options: unknown
  /** Every known option with its check. A value that is undefined counts as not given. */
  readonly checks: Readonly<Record<string, OptionCheck>>
  /** Each of these must be given. */
  readonly needs?: readonly string[]
  /** At least one of these must be given. */
  readonly needsOneOf?: readonly string[]
  /** Options that only make sense when the broker makes its client itself, and so do not go with `client`. */
  readonly notWithClient?: readonly string[]
}

/**
 * Checks every option at once.
 *
 * @throws OPTIONS_INVALID naming all faults, in the message and in `details.faults`. Values are never repeated: a url may hold
 * a password.
 */
export function checkOptions(given: CheckedOptions): void {
  const faults = isObject(given.options) ? optionFaults(given, given.options) : ["the options must be an object"]
  if (faults.length === 0) return
  throw new ChangeEventsError("OPTIONS_INVALID", `${given.factory}: ${faults.join("; ")}`, { details: { faults } })
}

function optionFaults(given: CheckedOptions, options: Readonly<Record<string, unknown>>): string[] {
  const faults = unknownKeyFaults(options, Object.keys(given.checks))
  for (const [name, check] of Object.entries(given.checks)) {
    const fault = options[name] === undefined ? undefined : check(options[name])
    if (fault !== undefined) faults.push(`\`${name}\` ${fault}`)
  }
  return [...faults, ...missingFaults(given, options), ...clientFaults(given, options)]
}

function missingFaults(given: CheckedOptions, options: Readonly<Record<string, unknown>>): string[] {
  const groups = [given.needsOneOf ?? [], ...(given.needs ?? []).map((name) => [name])]
  const missing = groups.filter((names) => names.length > 0 && names.every((name) => options[name] === undefined))
  return missing.map((names) => `${names.map((name) => `\`${name}\``).join(" or ")} is needed`)
}

function clientFaults(given: CheckedOptions, options: Readonly<Record<string, unknown>>): string[] {
  if (options["client"] === undefined) return []
  const idle = (given.notWithClient ?? []).filter((name) => options[name] !== undefined)
  return idle.map((name) => `\`${name}\` does not go with \`client\`: it is the client's own affair`)
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}
