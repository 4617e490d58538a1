import { execFile } from "node:child_process"
import { chmod, mkdir, mkdtemp, readdir, rename, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { promisify } from "node:util"
import { findProgram, withLock } from "./debian-package"

const run = promisify(execFile)

/** From this version on PgBouncer keeps the named statements of its clients apart. */
const SINCE = [1, 21]

/** The Debian whose PgBouncer is new enough, and what that one needs beside itself. */
const SUITE = "trixie"
const PACKAGES =
  "pgbouncer libc6 libcares2 libevent-2.1-7t64 libpam0g libssl3t64 libsystemd0 libaudit1 libcap-ng0 libcap2 libgcc-s1 libgcrypt20 libgpg-error0 liblz4-1 liblzma5 libzstd1 zlib1g"

const FOLDER = join(tmpdir(), `typeorm-change-events-pgbouncer-${SUITE}`)

// Its libraries are newer than this machine's, and so is the loader that has to load them.
const START = `#!/bin/sh
root=$(dirname "$0")/root
for loader in "$root"/usr/lib/*-linux-gnu/ld-linux-*.so.*; do
  exec "$loader" --library-path "$(dirname "$loader")" "$root/usr/sbin/pgbouncer" "$@"
done
`

/**
 * A PgBouncer of version 1.21 or later: PGBOUNCER, the installed one, or that of Debian 13, unpacked into a temporary folder and run from there.
 *
 * @throws where there is none and apt-get cannot bring one
 */
export async function newerPgBouncer(): Promise<string> {
  const given = process.env.PGBOUNCER ?? (await findProgram("pgbouncer"))
  if (given !== undefined && (await isNewer(given))) return given
  const program = join(FOLDER, "pgbouncer")
  await withLock(async () => {
    if (!(await isThere(FOLDER))) await unpack()
  })
  return program
}

async function isNewer(program: string): Promise<boolean> {
  const { stdout } = await run(program, ["--version"])
  const [major = 0, minor = 0] = (/(\d+)\.(\d+)/.exec(stdout) ?? []).slice(1).map(Number)
  return major > (SINCE[0] as number) || (major === SINCE[0] && minor >= (SINCE[1] as number))
}

function isThere(path: string): Promise<boolean> {
  return readdir(path).then(
    () => true,
    () => false,
  )
}

/** With lists and a cache of its own: what is installed here stays as it is. */
async function unpack(): Promise<void> {
  const work = await mkdtemp(join(tmpdir(), "pgbouncer-packages-"))
  try {
    const apt = await ownApt(work)
    await apt("update")
    await apt("download", ...PACKAGES.split(" ").map((name) => `${name}/${SUITE}`))
    const packages = (await readdir(work)).filter((name) => name.endsWith(".deb"))
    for (const name of packages) await run("dpkg", ["-x", join(work, name), join(work, "made", "root")])
    await writeFile(join(work, "made", "pgbouncer"), START)
    await chmod(join(work, "made", "pgbouncer"), 0o755)
    await rename(join(work, "made"), FOLDER)
  } finally {
    await rm(work, { recursive: true })
  }
}

async function ownApt(work: string): Promise<(...words: string[]) => Promise<unknown>> {
  const [mirror] = (await run("apt-get", ["indextargets", "--format", "$(REPO_URI)", "Origin: Debian"])).stdout.split(
    "\n",
  )
  await writeFile(join(work, "sources.list"), `deb ${mirror} ${SUITE} main\n`)
  for (const folder of ["lists", "cache/archives/partial", "made/root"])
    await mkdir(join(work, folder), { recursive: true })
  const own = { "Dir::Etc::sourcelist": "sources.list", "Dir::State::lists": "lists", "Dir::Cache": "cache" }
  const settings = Object.entries(own).flatMap(([name, path]) => ["-o", `${name}=${join(work, path)}`])
  return (...words) => run("apt-get", [...settings, "-o", "Dir::Etc::sourceparts=-", ...words], { cwd: work })
}
