import { readFileSync } from "node:fs"
import { join } from "node:path"
import { asError, ChangeEventsError } from "../errors"
import { nearestName } from "../runtime/nearest-name"
import { asyncApiCommand } from "./asyncapi"
import type { Command } from "./command"
import { commandHelp, programHelp } from "./help"
import type { Output } from "./output"
import { invalidCommand, readArguments } from "./read-arguments"
import { triggersGenerateCommand } from "./triggers-generate"

const commands: Readonly<Record<string, Command>> = {
  asyncapi: asyncApiCommand,
  "triggers:generate": triggersGenerateCommand,
}

/** 0: done. 1: it failed. 2: it was called wrongly. */
export type ExitCode = 0 | 1 | 2

/** Runs `change-events` with these arguments. Throws nothing: what fails is told, with its code. */
export async function run(args: readonly string[], output: Output): Promise<ExitCode> {
  try {
    await runCommand(args, output)
    return 0
  } catch (thrown) {
    const error = asError(thrown)
    const isOurs = error instanceof ChangeEventsError
    output.tell(`change-events: ${isOurs ? `${error.message} (${error.code})` : (error.stack ?? error.message)}`)
    const isMisuse = isOurs && error.code === "COMMAND_INVALID"
    if (isMisuse) output.tell("`change-events --help` lists commands and options")
    return isMisuse ? 2 : 1
  }
}

async function runCommand([name, ...args]: readonly string[], output: Output): Promise<void> {
  if (name === "--version") return output.write(`${packageVersion()}\n`)
  if (name === undefined || name === "--help" || name === "-h") return output.write(programHelp(commands))
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined
  if (!command) throw unknownCommand(name)
  if (args.includes("--help") || args.includes("-h")) return output.write(commandHelp(name, command))
  await command.run(readArguments(args, command.options), output)
}

function unknownCommand(name: string): ChangeEventsError {
  const isOption = name.startsWith("-")
  const nearest = isOption ? undefined : nearestName(name, Object.keys(commands))
  const advice = nearest === undefined ? "" : `, did you mean \`${nearest}\`?`
  return invalidCommand([isOption ? `\`${name}\` stands before any command` : `unknown command \`${name}\`${advice}`])
}

function packageVersion(): string {
  const { version } = JSON.parse(readFileSync(join(__dirname, "../../package.json"), "utf8")) as { version: string }
  return version
}
