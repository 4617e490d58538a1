import { execFile } from "node:child_process"
import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { promisify } from "node:util"

const run = promisify(execFile)

const REPOSITORY = resolve(__dirname, "../../..")

/** The package as npm would publish it, installed into an empty folder with what it cannot do without. */
export interface InstalledPackage {
  readonly folder: string
  readonly tarball: string
  /** Paths in the tarball, without the `package/` before each. */
  readonly files: readonly string[]
  /** What the program prints when Node runs it in the folder. `name` ends in .mjs or .cjs. */
  run(name: string, program: string, environment?: NodeJS.ProcessEnv): Promise<string>
  /**
   * What the compiler objects to in that folder of the repository's `fixtures` and the further files, copied here, when its
   * tsconfig.json says how. Empty when there is nothing.
   */
  compile(fixture: string, furtherFiles?: Readonly<Record<string, string>>): Promise<string>
  remove(): Promise<void>
}

/** Builds, packs and installs. Takes 10 s. */
export async function installPackage(): Promise<InstalledPackage> {
  const root = await mkdtemp(join(tmpdir(), "installed-package-"))
  const folder = join(root, "application")
  await mkdir(folder)
  await writeFile(join(folder, "package.json"), JSON.stringify({ name: "application", private: true }))
  const packed = await run("npm", ["pack", "--json", "--pack-destination", root], { cwd: REPOSITORY })
  const tarball = join(root, tarballName(packed.stdout))
  await run("npm", ["install", ...QUIETLY, tarball, ...PEERS.map(asInstalledHere)], { cwd: folder })
  const listed = await run("tar", ["-tf", tarball])
  return {
    folder,
    tarball,
    files: listed.stdout.trim().split("\n").map(withoutRoot).sort(),
    async run(name, program, environment = {}) {
      await writeFile(join(folder, name), program)
      return (await run(process.execPath, [name], { cwd: folder, env: { ...process.env, ...environment } })).stdout
    },
    async compile(fixture, furtherFiles = {}) {
      const copy = join(folder, fixture)
      await cp(join(REPOSITORY, "fixtures", fixture), copy, { recursive: true })
      for (const [name, text] of Object.entries(furtherFiles)) await writeFile(join(copy, name), text)
      return compilerMessages(copy)
    },
    remove: () => rm(root, { recursive: true }),
  }
}

const QUIETLY = ["--prefer-offline", "--no-audit", "--no-fund", "--no-save"]

/** What everybody has who uses the package, with types for Node. Not ioredis, winston, express or OpenTelemetry, which are optional. */
const PEERS = ["typeorm", "pg", "@types/node"]

function asInstalledHere(name: string): string {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- which version, is known at run time only
  const { version } = require(join(REPOSITORY, "node_modules", name, "package.json")) as { version: string }
  return `${name}@${version}`
}

/** npm 7 to 11 print a list, later ones an object by name. A script may print before it. */
function tarballName(output: string): string {
  const name = /"filename":\s*"([^"]+)"/.exec(output)?.[1]
  if (name === undefined) throw new Error(`npm pack names no file: ${output}`)
  return name
}

const withoutRoot = (path: string): string => path.replace(/^package\//, "")

async function compilerMessages(folder: string): Promise<string> {
  const compiler = require.resolve("typescript/bin/tsc")
  return run(process.execPath, [compiler, "-p", folder]).then(
    ({ stdout }) => stdout,
    (error: { stdout?: string }) => error.stdout || String(error),
  )
}

/** What publint objects to, suggestions included. */
export async function publishingFaults(tarball: string): Promise<string> {
  const publint = join(REPOSITORY, "node_modules", ".bin", "publint")
  const { stdout } = await run(publint, ["run", tarball, "--strict", "--pack", "false"]).catch(
    (error: { stdout: string }) => error,
  )
  return stdout
}
