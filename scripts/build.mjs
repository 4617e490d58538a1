// Compiles src/ to CommonJS and writes a thin ESM wrapper beside every entry point: both module systems get the same
// module instances, and with them one AsyncLocalStorage. What is an entry point says `exports` in package.json; all other
// files are internal.
import { execFileSync } from "node:child_process"
import { createRequire } from "node:module"
import { rmSync, writeFileSync } from "node:fs"
import { basename, join } from "node:path"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("..", import.meta.url))
const require = createRequire(import.meta.url)
const { exports } = require("../package.json")

rmSync(join(root, "dist"), { recursive: true, force: true })
const compiler = require.resolve("typescript/bin/tsc")
execFileSync(process.execPath, [compiler, "-p", join(root, "tsconfig.build.json")], { stdio: "inherit" })

for (const entry of Object.values(exports)) {
  if (typeof entry === "object") writeWrapper(entry)
}

function writeWrapper(entry) {
  const compiled = join(root, entry.require.default)
  const file = basename(compiled)
  const names = Object.keys(require(compiled))
  const lines = [`import entry from "./${file}"`, ...names.map((name) => `export const ${name} = entry.${name}`)]
  writeFileSync(join(root, entry.import.default), lines.join("\n") + "\n")
  writeFileSync(join(root, entry.import.types), `export * from "./${file}"\n`)
}
