import type { Output } from "./output"

/** An option as `--help` shows it. All are long, some also have a letter. */
export interface CommandOption {
  readonly type: "string" | "boolean"
  readonly short?: string
  /** What stands for the value in the help: `<file>`. */
  readonly value?: string
  readonly help: string
}

export type CommandOptions = Readonly<Record<string, CommandOption>>

export interface Command {
  readonly summary: string
  readonly options: CommandOptions
  run(given: GivenOptions, output: Output): Promise<void>
}

/** By name; an option that was not given is not there. */
export type GivenOptions = Readonly<Record<string, string | true>>
