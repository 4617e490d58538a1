import { createRequire } from "node:module"
import { join } from "node:path"
import { asError, ChangeEventsError } from "../errors"

/** In the order of preference: ts-node keeps what decorators know of types, which TypeORM asks for where a column has no `type`. */
const loaders = ["ts-node/register/transpile-only", "tsx/cjs"]

/**
 * Makes `require` read TypeScript, with the loader that the application has: one that runs already, else ts-node, else tsx.
 *
 * @throws ChangeEventsError TYPESCRIPT_UNSUPPORTED when there is none
 */
export function registerTypescript(file: string): void {
  if (isRegistered()) return
  for (const from of [file, join(process.cwd(), "package.json")]) {
    const require = createRequire(from)
    const found = loaders.filter((loader) => canResolve(require, loader))
    if (found.length > 0) return loadFirst(require, found)
  }
  throw new ChangeEventsError(
    "TYPESCRIPT_UNSUPPORTED",
    `\`${file}\` is TypeScript: npm install --save-dev tsx (or ts-node), or name the JavaScript that it is compiled to`,
  )
}

/** Node's own reading of TypeScript does not count: it knows no decorators. */
function isRegistered(): boolean {
  const isNodes = "typescript" in process.features && process.features.typescript !== false
  return Symbol.for("ts-node.register.instance") in process || (".ts" in require.extensions && !isNodes)
}

function canResolve(require: NodeJS.Require, loader: string): boolean {
  try {
    require.resolve(loader)
    return true
  } catch {
    return false
  }
}

/** The first that loads: ts-node does not beside a TypeScript that is newer than it. */
function loadFirst(require: NodeJS.Require, [loader = "", ...others]: readonly string[]): void {
  try {
    require(loader)
  } catch (thrown) {
    if (others.length > 0) return loadFirst(require, others)
    const cause = asError(thrown)
    throw new ChangeEventsError("TYPESCRIPT_UNSUPPORTED", `\`${loader}\` does not load: ${cause.message}`, { cause })
  }
}
