import type { Command, CommandOption } from "./command"

export function programHelp(commands: Readonly<Record<string, Command>>): string {
  return `Usage: change-events <command> [options]

Commands:
${table(Object.entries(commands).map(([name, { summary }]) => [name, summary]))}

Options:
${table([
  ["-h, --help", "this text, or that of a command"],
  ["    --version", "the version of the package"],
])}
`
}

export function commandHelp(name: string, { summary, options }: Command): string {
  return `Usage: change-events ${name} [options]

${summary}

Options:
${table([
  ...Object.entries(options).map(([option, of]): [string, string] => [usage(option, of), of.help]),
  ["-h, --help", "this text"],
])}
`
}

function usage(name: string, { short, value }: CommandOption): string {
  return `${short ? `-${short}, ` : "    "}--${name}${value ? ` ${value}` : ""}`
}

function table(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([left]) => left.length))
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`).join("\n")
}
