import { ChangeEventsError } from "../../errors"
import { isObject, nameOf, type OptionCheck } from "../../runtime/option-checks"
import { unknownKeyFaults } from "../../runtime/option-faults"

/** Every known option with its check. A value that is undefined counts as not given. */
export type FormatChecks = Readonly<Record<string, OptionCheck>>

/**
 * Checks every option of a format at once.
 *
 * @throws ChangeEventsError OPTIONS_INVALID naming all faults, in the message and in `details.faults`, without the values
 */
export function checkFormatOptions(
  format: string,
  options: unknown,
  checks: FormatChecks,
  required: readonly string[] = [],
): void {
  const faults = isObject(options)
    ? optionFaults(options, checks, required)
    : [`the options must be an object, got ${nameOf(options)}`]
  if (faults.length === 0) return
  throw new ChangeEventsError("OPTIONS_INVALID", `${format}: ${faults.join("; ")}`, { details: { faults } })
}

function optionFaults(
  options: Readonly<Record<string, unknown>>,
  checks: FormatChecks,
  required: readonly string[],
): string[] {
  const given = Object.entries(checks).filter(([name]) => options[name] !== undefined)
  return [
    ...unknownKeyFaults(options, Object.keys(checks)),
    ...required.filter((name) => options[name] === undefined).map((name) => `${name} is needed`),
    ...given.flatMap(([name, check]) => check(options[name], name)),
  ]
}

export const text: OptionCheck = (value, name) =>
  typeof value === "string" && value !== "" ? [] : [`${name} must be a text that is not empty, got ${nameOf(value)}`]

export const aFunction: OptionCheck = (value, name) =>
  typeof value === "function" ? [] : [`${name} must be a function, got ${nameOf(value)}`]

export const listOfTexts: OptionCheck = (value, name) =>
  Array.isArray(value)
    ? value.flatMap((item, index) => text(item, `${name}[${index}]`))
    : [`${name} must be an array of texts, got ${nameOf(value)}`]

/** An object whose values all pass the check. */
export function eachOf(check: OptionCheck): OptionCheck {
  return (value, name) =>
    isObject(value)
      ? Object.entries(value).flatMap(([key, item]) => check(item, `${name}.${key}`))
      : [`${name} must be an object, got ${nameOf(value)}`]
}

/** What an option's function gave, which must be a text: the way out is in the options. */
export function textFrom(format: string, option: string, value: unknown): string {
  const faults = text(value, `what ${option} gives`)
  if (faults.length === 0) return value as string
  throw new ChangeEventsError("OPTIONS_INVALID", `${format}: ${faults.join()}`, {
    details: { faults },
    retryable: false,
  })
}
