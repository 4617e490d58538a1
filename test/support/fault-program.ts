import { spawn, type ChildProcess } from "node:child_process"
import { once } from "node:events"
import { join, resolve } from "node:path"

const root = resolve(__dirname, "../..")

/** A program of the fault suite, in a process of its own. */
export interface FaultProgram {
  readonly process: ChildProcess
  /** Resolves when it has ended, however, with what it has printed. */
  readonly ended: Promise<string>
  kill(signal?: NodeJS.Signals): Promise<string>
  /** What it has said of its troubles so far. */
  complaints(): string
}

/** Starts one of test/faults/programs, with more of an environment. */
export function startFaultProgram(name: string, environment: Readonly<Record<string, string>>): FaultProgram {
  const script = join(root, "test/faults/programs", `${name}.ts`)
  const child = spawn(process.execPath, ["--import", "tsx", script], {
    cwd: root,
    env: { ...process.env, ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  })
  let output = ""
  let complaints = ""
  child.stdout.on("data", (data: Buffer) => (output += data.toString()))
  child.stderr.on("data", (data: Buffer) => (complaints += data.toString()))
  const ended = once(child, "close").then(() => output)
  return {
    process: child,
    ended,
    complaints: () => complaints,
    kill: (signal = "SIGKILL") => {
      child.kill(signal)
      return ended
    },
  }
}
