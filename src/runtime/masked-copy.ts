import { types } from "node:util"
import { jsonValue } from "./json-value"

/** What stands in place of a value whose name looks like a secret's. */
export const MASKED = "***"

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

export interface CopyRules {
  /** What stands for a value that cannot be kept: a function, a symbol, an object that holds itself. Or throws. */
  readonly unkeepable: (path: readonly string[], problem: CopyProblem) => unknown
  /** Asked first for each instance of a class: its form in JSON, taken as it is. Undefined: the usual one. */
  readonly ofInstance?: (instance: object) => unknown
  /** More values than this are not copied: whoever is handed a connection pool would walk through it. Default: no limit. */
  readonly maxValues?: number
}

export type CopyProblem = "is a function" | "is a symbol" | "holds itself" | "has no JSON form" | "is too large"

/**
 * A frozen copy of the value, as JSON holds it. What is named like a secret, at any depth and in any spelling (`apiKey`, `API_KEY`,
 * `x-api-key`), is masked before anything is kept. Undefined is dropped from an object, and null elsewhere.
 */
export function maskedCopy(value: unknown, rules: CopyRules): unknown {
  return new MaskedCopy(rules).of(value, [], [])
}

/** Whether a value of that name is probably a secret. */
export function looksSecret(name: string): boolean {
  const letters = name.toLowerCase().replace(/[^a-z0-9]/g, "")
  return SECRET_NAMES.some((secret) => letters.includes(secret))
}

class MaskedCopy {
  private count = 0

  constructor(private readonly rules: CopyRules) {}

  of(value: unknown, path: readonly string[], ancestors: readonly object[]): unknown {
    if (typeof value === "function") return this.unkeepable(path, "is a function")
    if (typeof value === "symbol") return this.unkeepable(path, "is a symbol")
    if (++this.count > (this.rules.maxValues ?? Infinity)) return this.unkeepable(path, "is too large")
    if (typeof value !== "object" || value === null) return jsonValue(value)
    if (ancestors.includes(value)) return this.unkeepable(path, "holds itself")
    const below = [...ancestors, value]
    if (Array.isArray(value)) return this.ofList(value, path, below)
    return isPlain(value) ? this.ofRecord(value, path, below) : this.ofInstance(value, path, below)
  }

  private ofList(list: readonly unknown[], path: readonly string[], ancestors: readonly object[]): unknown {
    return Object.freeze(list.map((item, index) => this.of(item, [...path, String(index)], ancestors)))
  }

  private ofRecord(record: object, path: readonly string[], ancestors: readonly object[]): unknown {
    const entries = Object.entries(record)
      .filter(([, value]) => value !== undefined)
      .map(([key, value]) => [key, looksSecret(key) ? MASKED : this.of(value, [...path, key], ancestors)] as const)
    return Object.freeze(Object.fromEntries(entries.filter(([, value]) => value !== undefined)))
  }

  /** A date, map, bytes or an instance of a class. */
  private ofInstance(value: object, path: readonly string[], ancestors: readonly object[]): unknown {
    const known = this.rules.ofInstance?.(value)
    if (known !== undefined) return known
    let plain: unknown
    try {
      plain = asPlain(value, path.at(-1) ?? "")
    } catch {
      return this.unkeepable(path, "has no JSON form")
    }
    return this.of(plain, path, ancestors)
  }

  private unkeepable(path: readonly string[], problem: CopyProblem): unknown {
    return this.rules.unkeepable(path, problem)
  }
}

/** One level of it, so that the instances inside are still themselves. */
function asPlain(value: object, key: string): unknown {
  if (types.isDate(value) || types.isAnyArrayBuffer(value) || ArrayBuffer.isView(value)) return jsonValue(value)
  if (types.isMap(value)) return Object.fromEntries(Array.from(value, ([name, item]) => [String(name), item]))
  if (types.isSet(value)) return Array.from(value)
  if (!hasToJson(value)) return { ...value }
  const given = value.toJSON(key)
  // Its own toJSON is not asked again, as with JSON.stringify.
  return typeof given === "object" && given !== null && hasToJson(given) ? jsonValue(value) : given
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  return (prototype === null || Object.getPrototypeOf(prototype) === null) && !hasToJson(value)
}

function hasToJson(value: object): value is { toJSON(key: string): unknown } {
  return "toJSON" in value && typeof value.toJSON === "function"
}
