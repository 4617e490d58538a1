import { posix } from "node:path"
import type { Import, SourceFile } from "./source-file"

/** What lies in `src` itself composes the rest: only there both ends are known. But for `errors.ts`, which is below all. */
const ROOT = "index.ts"

/** The rooms of each floor, from the ground up: folders of `src`, and the files that lie in `src` itself. */
const FLOORS: readonly (readonly string[])[] = [
  ["errors.ts"],
  ["runtime"],
  ["events"],
  ["context", "formats", "brokers"],
  ["publishing"],
  ["outbox"],
  ["relay"],
  ["capture"],
  ["schemas", "notices", "migrations", "triggers"],
  [ROOT],
  ["cli", "testing", "otel"],
]

/** The lowest floor that may know TypeORM. */
const TYPEORM_FLOOR = floorOf("outbox/change-log.ts")

/** Who may import what a user need not have installed: the entry file of that name, and the folder beside it. */
const OPTIONAL_PEERS: Readonly<Record<string, string>> = {
  ioredis: "brokers/redis",
  winston: "brokers/syslog",
  "winston-syslog": "brokers/syslog",
  express: "context/express",
  "@opentelemetry/api": "otel",
}

const DRAWERS = ["utils", "util", "helpers", "helper", "common", "misc", "types", "shared", "lib"]

const MAX_LINES = 300

/** A sentence for everything in which the files do not follow the plan of the house. */
export function houseFaults(files: readonly SourceFile[]): string[] {
  return [...files.flatMap((file) => fileFaults(file)), ...cycleFaults(files)]
}

function fileFaults(file: SourceFile): string[] {
  const faults = file.imports.flatMap((imported) => importFaults(file, imported))
  const name = posix.basename(file.path, ".ts")
  if (floorOf(file.path) < 0) faults.push("has no floor")
  if (DRAWERS.includes(name)) faults.push(`is a drawer: \`${name}\` says nothing of what is in it`)
  if (!/^[a-z0-9-]+$/.test(name)) faults.push("is not named in kebab-case")
  if (file.lineCount > MAX_LINES) faults.push(`has ${file.lineCount} lines, more than ${MAX_LINES}`)
  faults.push(...file.exportsEverythingOf.map((target) => `exports everything of ${target}`))
  return faults.map((fault) => `${file.path} ${fault}`)
}

function importFaults(file: SourceFile, { target, isOwn }: Import): string[] {
  if (!isOwn) return packageFaults(file, target)
  const [own, other] = [floorOf(file.path), floorOf(target)]
  if (roomOf(file.path) === roomOf(target) || other < own) return []
  return [own === other ? `imports its neighbour ${target}` : `imports ${target}, which is above it`]
}

function packageFaults(file: SourceFile, target: string): string[] {
  if (target === "typeorm" && floorOf(file.path) < TYPEORM_FLOOR)
    return ["imports typeorm, which its floor must not know"]
  const entry = OPTIONAL_PEERS[target]
  const isEntrys = entry === undefined || file.path === `${entry}.ts` || file.path.startsWith(`${entry}/`)
  return isEntrys ? [] : [`imports ${target}, which only ${entry}.ts may`]
}

/** Rings of what is left when the program runs: types may refer to one another. */
function cycleFaults(files: readonly SourceFile[]): string[] {
  const importsOf = new Map(files.map((file) => [file.path, runtimeImports(file)]))
  const cleared = new Set<string>()
  const faults: string[] = []
  const visit = (path: string, trail: readonly string[]): void => {
    if (trail.includes(path)) faults.push(`${[...trail.slice(trail.indexOf(path)), path].join(" → ")} is a ring`)
    if (cleared.has(path) || trail.includes(path)) return
    for (const target of importsOf.get(path) ?? []) visit(target, [...trail, path])
    cleared.add(path)
  }
  for (const { path } of files) visit(path, [])
  return faults
}

function runtimeImports(file: SourceFile): string[] {
  return file.imports.filter(({ isOwn, isTypeOnly }) => isOwn && !isTypeOnly).map(({ target }) => target)
}

function roomOf(path: string): string {
  const [room, ...below] = path.split("/") as [string, ...string[]]
  return below.length > 0 || room === "errors.ts" ? room : ROOT
}

function floorOf(path: string): number {
  return FLOORS.findIndex((rooms) => rooms.includes(roomOf(path)))
}
