import { parseArgs } from "node:util"
import { ChangeEventsError } from "../errors"
import { nearestName } from "../runtime/nearest-name"
import type { CommandOptions, GivenOptions } from "./command"

/**
 * What stands behind a command's name.
 *
 * @throws ChangeEventsError COMMAND_INVALID with every fault in `details.faults`
 */
export function readArguments(args: readonly string[], options: CommandOptions): GivenOptions {
  const given: Record<string, string | true> = {}
  const faults: string[] = []
  for (const token of argumentTokens(args, options)) {
    if (token.kind === "positional") faults.push(`\`${token.value}\` belongs to no option`)
    if (token.kind !== "option") continue
    const fault = optionFault(token, options)
    if (fault === undefined) given[token.name] = options[token.name]?.type === "string" ? (token.value as string) : true
    else faults.push(fault)
  }
  if (faults.length > 0) throw invalidCommand(faults)
  return given
}

/** The error for what cannot be run. */
export function invalidCommand(faults: readonly string[]): ChangeEventsError {
  return new ChangeEventsError("COMMAND_INVALID", faults.join("; "), { details: { faults } })
}

/** Not strict: Node's own faults come one at a time, and name nothing near. */
function argumentTokens(args: readonly string[], options: CommandOptions) {
  const known = Object.entries(options).map(([name, { type, short }]) => [name, short ? { type, short } : { type }])
  return parseArgs({
    args: [...args],
    options: Object.fromEntries(known) as Record<string, { type: "string" | "boolean"; short?: string }>,
    allowPositionals: true,
    strict: false,
    tokens: true,
  }).tokens
}

interface OptionToken {
  readonly name: string
  readonly rawName: string
  readonly value?: string | undefined
  readonly inlineValue?: boolean | undefined
}

function optionFault(token: OptionToken, options: CommandOptions): string | undefined {
  const { name, rawName, value, inlineValue } = token
  const option = Object.hasOwn(options, name) ? options[name] : undefined
  if (!option) return unknownFault(rawName, name, options)
  if (option.type === "boolean") return value === undefined ? undefined : `\`${rawName}\` takes no value`
  const isNextOption = !inlineValue && value !== undefined && /^-./.test(value)
  return value === undefined || value === "" || isNextOption
    ? `\`${rawName}\` needs ${option.value ?? "a value"}`
    : undefined
}

function unknownFault(rawName: string, name: string, options: CommandOptions): string {
  const nearest = nearestName(name, Object.keys(options))
  return `unknown option \`${rawName}\`${nearest === undefined ? "" : `, did you mean \`--${nearest}\`?`}`
}
