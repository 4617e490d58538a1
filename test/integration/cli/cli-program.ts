import { spawn } from "node:child_process"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"

const root = resolve(__dirname, "../../..")

export interface CommandOutcome {
  readonly code: number | null
  readonly written: string
  readonly told: string
}

/** A command that runs. */
export interface RunningCommand {
  /** Resolves when it has written or told so. Rejects when it ended without. */
  until(text: string): Promise<void>
  kill(signal: NodeJS.Signals): void
  readonly outcome: Promise<CommandOutcome>
}

/** `change-events` as a person runs it: a process of its own, on a configuration of his own. */
export interface CliProgram {
  run(...args: readonly string[]): Promise<CommandOutcome>
  start(...args: readonly string[]): RunningCommand
  remove(): Promise<void>
}

/** With a DataSource of sites whose changes go to the broker `file`, which adds a line for each event to `$EVENTS`. */
export async function cliProgram(url: string, delivery: "outbox" | "direct" = "outbox"): Promise<CliProgram> {
  const folder = await mkdtemp(join(tmpdir(), "change-events-cli-"))
  const config = join(folder, "ormconfig.ts")
  await writeFile(config, configText(url, delivery))
  const start = (...args: readonly string[]): RunningCommand => startCommand([...args, "-d", config])
  return {
    start,
    run: (...args) => start(...args).outcome,
    remove: () => rm(folder, { recursive: true }),
  }
}

function startCommand(args: readonly string[]): RunningCommand {
  const child = spawn(process.execPath, ["--import", "tsx", join(root, "src/cli/change-events.ts"), ...args], {
    cwd: root,
  })
  let [written, told] = ["", ""]
  const waiting = new Set<() => void>()
  child.stdout.on("data", (chunk: Buffer) => {
    written += chunk.toString()
    for (const look of waiting) look()
  })
  child.stderr.on("data", (chunk: Buffer) => {
    told += chunk.toString()
    for (const look of waiting) look()
  })
  const outcome = new Promise<CommandOutcome>((done) => child.on("close", (code) => done({ code, written, told })))
  const until = (text: string): Promise<void> =>
    new Promise((found, failed) => {
      const look = (): void => {
        if (!`${written}${told}`.includes(text)) return
        waiting.delete(look)
        found()
      }
      waiting.add(look)
      look()
      void outcome.then(() => failed(new Error(`it ended without saying ${text}: ${written}${told}`)))
    })
  return { until, outcome, kill: (signal) => void child.kill(signal) }
}

function configText(url: string, delivery: string): string {
  return `
import ${JSON.stringify(require.resolve("reflect-metadata"))}
import { DataSource } from ${JSON.stringify(require.resolve("typeorm"))}
import { changeEvents } from ${JSON.stringify(join(root, "src"))}
import { fixtureEntities } from ${JSON.stringify(join(root, "fixtures/fixture-entities"))}

const changes = changeEvents({
  delivery: "${delivery}",
  brokers: {
    console: { publish: async ({ topic, key }) => console.log("got " + topic + " " + key) },
  },
})
export default new DataSource({
  type: "postgres",
  url: ${JSON.stringify(url)},
  entities: fixtureEntities,
  subscribers: [changes.subscriber],
})
`
}
