import { execFile } from "node:child_process"
import { access, constants, mkdir, rmdir, stat } from "node:fs/promises"
import { delimiter, join } from "node:path"
import { tmpdir } from "node:os"
import { setTimeout as pause } from "node:timers/promises"
import { promisify } from "node:util"

const run = promisify(execFile)

const LOCK = join(tmpdir(), "typeorm-change-events-apt.lock")
/** A lock older than this was left behind by a killed run, in milliseconds. */
const LOCK_MAX_AGE_MS = 180_000
const LOCK_PAUSE_MS = 250

/**
 * The path of a program. Missing, it is installed from the Debian package, if this is Debian and we are root.
 *
 * @throws naming the command that installs it: a missing server fails a test, and never skips it.
 */
export async function requireProgram(program: string, packageName: string): Promise<string> {
  const found = await findProgram(program)
  if (found !== undefined) return found
  const failure = await withLock(() => install(program, packageName))
  const installed = await findProgram(program)
  if (installed !== undefined) return installed
  throw new Error(`${program} is missing. Run: apt-get install ${packageName}`, { cause: failure })
}

export async function findProgram(program: string): Promise<string | undefined> {
  const folders = [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin", "/sbin", "/usr/local/sbin"]
  for (const path of folders.map((folder) => join(folder, program))) {
    const isThere = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    )
    if (isThere) return path
  }
  return undefined
}

/** Returns why it did not work, for who finds the program still missing. */
async function install(program: string, packageName: string): Promise<unknown> {
  if ((await findProgram(program)) !== undefined || process.getuid?.() !== 0) return undefined
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" }
  try {
    await run("apt-get", ["update"], { env })
    await run("apt-get", ["install", "--yes", "--no-install-recommends", packageName], { env })
    return undefined
  } catch (error) {
    return error
  }
}

/** One at a time over all processes: apt-get refuses to run twice. */
export async function withLock<T>(task: () => Promise<T>): Promise<T> {
  while (!(await takeLock())) await pause(LOCK_PAUSE_MS)
  try {
    return await task()
  } finally {
    await rmdir(LOCK).catch(() => undefined)
  }
}

async function takeLock(): Promise<boolean> {
  try {
    await mkdir(LOCK)
    return true
  } catch {
    const age = await stat(LOCK).then(
      ({ mtimeMs }) => Date.now() - mtimeMs,
      () => 0,
    )
    if (age > LOCK_MAX_AGE_MS) await rmdir(LOCK).catch(() => undefined)
    return false
  }
}
