import { types } from "node:util"

/** Later than any date of the fixtures: a clock told it. */
const START = Date.now() - 3_600_000
const TIMESTAMP = /\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[\d.]*(Z|[+-]\d\d(:?\d\d)?)?/g

/**
 * A copy of the value, prototypes included, in which whatever a clock told is `<now>`: two runs of the same work differ in
 * nothing else. Functions are compared by their text. A lazy relation's getter is not called.
 */
export function clockless(value: unknown): unknown {
  return copy(value, new Map())
}

function copy(value: unknown, seen: Map<object, unknown>): unknown {
  if (typeof value === "string") return value.replace(TIMESTAMP, (text) => (isRecent(new Date(text)) ? "<now>" : text))
  // Every run makes its own.
  if (typeof value === "function") return `<function ${String(value)}>`
  if (typeof value !== "object" || value === null) return value
  if (types.isDate(value)) return isRecent(value) ? "<now>" : value
  if (types.isUint8Array(value) || types.isPromise(value)) return value
  const known = seen.get(value)
  if (known !== undefined) return known
  const twin: object = Array.isArray(value)
    ? []
    : (Object.create(Object.getPrototypeOf(value) as object | null) as object)
  seen.set(value, twin)
  for (const [name, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(value))) {
    if (Array.isArray(value) && name === "length") continue
    const own = descriptor.get ? "<getter>" : copy(descriptor.value, seen)
    Object.defineProperty(twin, name, { value: own, enumerable: descriptor.enumerable === true, configurable: true })
  }
  return twin
}

function isRecent(date: Date): boolean {
  return date.getTime() > START && date.getFullYear() < 9999
}
