// Compiles src/ to CommonJS and writes a thin ESM wrapper beside every entry point: both module systems get the same
// module instances, and with them one AsyncLocalStorage.
import { execFileSync } from "node:child_process"
import { createRequire } from "node:module"
import { readdirSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"

const root = new URL("..", import.meta.url).pathname
const require = createRequire(import.meta.url)
const dist = join(root, "dist")

rmSync(dist, { recursive: true, force: true })
execFileSync(process.execPath, [require.resolve("typescript/bin/tsc"), "-p", join(root, "tsconfig.build.json")], {
  stdio: "inherit",
})

const entryPoints = ["index", "testing/index"]
for (const folder of ["brokers", "context", "formats"]) {
  for (const file of readdirSync(join(dist, folder))) {
    if (file.endsWith(".js")) entryPoints.push(`${folder}/${file.slice(0, -3)}`)
  }
}

for (const entry of entryPoints) {
  const names = Object.keys(require(join(dist, `${entry}.js`)))
  const file = entry.split("/").at(-1)
  const lines = [`import entry from "./${file}.js"`, ...names.map((name) => `export const ${name} = entry.${name}`)]
  writeFileSync(join(dist, `${entry}.mjs`), lines.join("\n") + "\n")
  writeFileSync(join(dist, `${entry}.d.mts`), `export * from "./${file}.js"\n`)
}
