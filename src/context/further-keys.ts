import { jsonValue } from "../runtime/json-value"

/** What stands in place of a value whose name looks like a secret's. */
const MASKED = "***"

const SECRET_NAMES = [
  "password",
  "passwd",
  "passphrase",
  "secret",
  "token",
  "authorization",
  "cookie",
  "apikey",
  "privatekey",
  "credential",
]

/**
 * A frozen copy of what a context carries beside its own fields, as JSON holds it. What is named like a secret, at any depth
 * and in any spelling (`apiKey`, `API_KEY`, `x-api-key`), is masked before anything is kept.
 *
 * @throws Error naming the path of a function, a symbol, or a value that holds itself.
 */
export function furtherKeys(given: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return keptObject(given, [], [])
}

function keptObject(object: object, path: readonly string[], ancestors: readonly object[]): Record<string, unknown> {
  const below = [...ancestors, object]
  const entries = Object.entries(object)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => [key, looksSecret(key) ? MASKED : kept(value, [...path, key], below)] as const)
  return Object.freeze(Object.fromEntries(entries))
}

function kept(value: unknown, path: readonly string[], ancestors: readonly object[]): unknown {
  if (typeof value === "function" || typeof value === "symbol") throw unkeepable(path, `is a ${typeof value}`)
  if (typeof value !== "object" || value === null) return jsonValue(value)
  if (ancestors.includes(value)) throw unkeepable(path, "holds itself")
  if (Array.isArray(value)) {
    const below = [...ancestors, value]
    return Object.freeze(value.map((item, index) => kept(item, [...path, String(index)], below)))
  }
  if (isPlain(value)) return keptObject(value, path, ancestors)
  return kept(asJson(value, path), path, [...ancestors, value])
}

/** A date, map, bytes or an instance of a class. What comes back is plain. */
function asJson(value: object, path: readonly string[]): unknown {
  try {
    const converted = jsonValue(value)
    return converted === value ? { ...value } : converted
  } catch {
    throw unkeepable(path, "has no JSON form")
  }
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  return (prototype === null || Object.getPrototypeOf(prototype) === null) && !("toJSON" in value)
}

function looksSecret(name: string): boolean {
  const letters = name.toLowerCase().replace(/[^a-z0-9]/g, "")
  return SECRET_NAMES.some((secret) => letters.includes(secret))
}

function unkeepable(path: readonly string[], problem: string): Error {
  return new Error(`\`${path.join(".")}\` ${problem}`)
}
