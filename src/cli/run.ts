import { readFileSync } from "node:fs"
import { join } from "node:path"
import { asError, ChangeEventsError } from "../errors"
import { nearestName } from "../runtime/nearest-name"
import { adoptCommand } from "./adopt"
import { asyncApiCommand } from "./asyncapi"
import type { Command } from "./command"
import {
  dropDeadLettersCommand,
  listDeadLettersCommand,
  requeueDeadLettersCommand,
  showDeadLetterCommand,
} from "./dead-letters"
import { doctorCommand } from "./doctor"
import { forgetCommand } from "./forget"
import { commandHelp, programHelp } from "./help"
import type { Output } from "./output"
import { pruneCommand } from "./prune"
import { invalidCommand, readArguments } from "./read-arguments"
import { relayCommand } from "./relay"
import { replayCommand } from "./replay"
import { statusCommand } from "./status"
import { tailCommand } from "./tail"
import { triggersGenerateCommand } from "./triggers-generate"

const commands: Readonly<Record<string, Command>> = {
  relay: relayCommand,
  status: statusCommand,
  tail: tailCommand,
  replay: replayCommand,
  prune: pruneCommand,
  "dead-letters list": listDeadLettersCommand,
  "dead-letters show": showDeadLetterCommand,
  "dead-letters requeue": requeueDeadLettersCommand,
  "dead-letters drop": dropDeadLettersCommand,
  adopt: adoptCommand,
  doctor: doctorCommand,
  forget: forgetCommand,
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

async function runCommand(words: readonly string[], output: Output): Promise<void> {
  const [name, ...args] = commandWords(words)
  if (name === "--version") return output.write(`${packageVersion()}\n`)
  if (name === undefined || name === "--help" || name === "-h") return output.write(programHelp(commands))
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined
  if (!command) throw unknownCommand(name)
  if (args.includes("--help") || args.includes("-h")) return output.write(commandHelp(name, command))
  await command.run(readArguments(args, command.options), output)
}

/** Some names are of two words. */
function commandWords([first, second, ...others]: readonly string[]): string[] {
  const isOfTwo = Object.keys(commands).some((name) => name.startsWith(`${first} `))
  const words = isOfTwo
    ? [[first, second].filter((word) => word !== undefined).join(" "), ...others]
    : [first, second, ...others]
  return words.filter((word) => word !== undefined)
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
