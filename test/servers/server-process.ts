import { spawn, type ChildProcess } from "node:child_process"
import { once } from "node:events"
import { connect } from "node:net"
import { setTimeout as pause } from "node:timers/promises"

/** How often a port is tried before its server counts as not started, and how long to wait in between, in milliseconds. */
const ATTEMPTS = 250
const PAUSE_MS = 20

export interface ServerProcess {
  /** Asks the process to end, and waits until it has. */
  stop(): Promise<void>
  /** As a power failure would. */
  kill(): Promise<void>
  /** Stops it from doing anything, without closing what it has open. */
  freeze(): void
}

/** Starts a program that stays in the foreground, and resolves when it accepts connections on the port. */
export async function startServerProcess(
  program: string,
  flags: readonly string[],
  port: number,
): Promise<ServerProcess> {
  const child = spawn(program, flags, { stdio: ["ignore", "pipe", "pipe"] })
  let output = ""
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (data: Buffer) => (output += String(data)))
  await untilListening(port, child).catch(async (cause) => {
    await end(child, "SIGKILL")
    throw new Error(`${program} does not listen on port ${port}: ${output}`, { cause })
  })
  return {
    stop: () => end(child, "SIGTERM"),
    kill: () => end(child, "SIGKILL"),
    freeze: () => void child.kill("SIGSTOP"),
  }
}

async function end(child: ChildProcess, signal: "SIGTERM" | "SIGKILL"): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, "exit")
  child.kill(signal)
  // A frozen process hears nothing else.
  if (signal === "SIGTERM") child.kill("SIGCONT")
  await exited
}

async function untilListening(port: number, child: ChildProcess): Promise<void> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    if (child.exitCode !== null) throw new Error(`it ended with code ${child.exitCode}`)
    if (await accepts(port)) return
    await pause(PAUSE_MS)
  }
  throw new Error("it took too long")
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1")
    const done = (isOpen: boolean): void => {
      socket.destroy()
      resolve(isOpen)
    }
    socket.once("connect", () => done(true)).once("error", () => done(false))
  })
}
