import { types } from "node:util"

/** The way from the root to where the walk is. */
interface Trail {
  readonly objects: object[]
  readonly keys: string[]
}

/**
 * The value as JSON can hold it: dates as ISO 8601 UTC (an invalid one as null), bytes as base64, bigints as decimal text,
 * maps as objects, sets as lists, NaN and the infinities as text (JSON has no such numbers, and null would be another value),
 * undefined as null in a list and dropped from an object, as functions and symbols are. `toJSON` is honoured. A value that
 * needs no change is given back itself, not a copy.
 *
 * @throws Error naming the path of a value that holds itself.
 */
export function jsonValue(value: unknown): unknown {
  if (typeof value === "string" || value === null || typeof value === "boolean") return value
  return typeof value === "object" ? ofObject(value, { objects: [], keys: [] }) : ofPrimitive(value)
}

function ofPrimitive(value: unknown): unknown {
  if (typeof value === "number") return Number.isFinite(value) ? value : String(value)
  if (typeof value === "bigint") return value.toString()
  return typeof value === "string" || typeof value === "boolean" ? value : null
}

/** The checks of `node:util` rather than `instanceof`, which is wrong for values of another realm, such as Jest's. */
function ofObject(value: object, trail: Trail): unknown {
  if (types.isDate(value)) return Number.isNaN(value.getTime()) ? null : value.toISOString()
  const bytes = bytesOf(value)
  if (bytes) return bytes.toString("base64")
  if (trail.objects.includes(value)) throw new Error(`the value at \`${trail.keys.join(".")}\` holds itself`)
  trail.objects.push(value)
  const converted = ofContainer(hasToJson(value) ? value.toJSON(trail.keys.at(-1) ?? "") : value, value, trail)
  trail.objects.pop()
  return converted
}

/** `plain` is what `toJSON` made of `original`, else the same. As with JSON.stringify, its own `toJSON` is not asked again. */
function ofContainer(plain: unknown, original: object, trail: Trail): unknown {
  if (typeof plain !== "object" || plain === null) return ofPrimitive(plain)
  if (plain !== original && (types.isDate(plain) || bytesOf(plain))) return ofObject(plain, trail)
  if (Array.isArray(plain)) return ofList(plain, trail)
  if (types.isSet(plain) || ArrayBuffer.isView(plain)) return ofList(Array.from(plain as Iterable<unknown>), trail)
  if (types.isMap(plain)) {
    return ofRecord(Object.fromEntries(Array.from(plain, ([key, item]) => [String(key), item])), trail)
  }
  return ofRecord(plain as Readonly<Record<string, unknown>>, trail)
}

function ofList(list: readonly unknown[], trail: Trail): readonly unknown[] {
  let changed: unknown[] | undefined
  for (let index = 0; index < list.length; index++) {
    const item = list[index]
    const converted = ofItem(item, index, trail)
    if (converted === item) continue
    changed ??= [...list]
    changed[index] = converted
  }
  return changed ?? list
}

function ofRecord(record: Readonly<Record<string, unknown>>, trail: Trail): Readonly<Record<string, unknown>> {
  const keys = Object.keys(record)
  const values = keys.map((key) => (isDropped(record[key]) ? undefined : ofItem(record[key], key, trail)))
  if (keys.every((key, index) => values[index] !== undefined && values[index] === record[key])) return record
  const entries = keys.map((key, index): [string, unknown] => [key, values[index]])
  // Not by assignment: the key `__proto__` would be taken for the prototype.
  return Object.fromEntries(entries.filter(([, item]) => item !== undefined))
}

function ofItem(item: unknown, key: string | number, trail: Trail): unknown {
  if (typeof item !== "object" || item === null) return ofPrimitive(item)
  trail.keys.push(String(key))
  const converted = ofObject(item, trail)
  trail.keys.pop()
  return converted
}

function isDropped(item: unknown): boolean {
  return item === undefined || typeof item === "function" || typeof item === "symbol"
}

/** Undefined for what holds no bytes, and for views of larger elements, which are lists of numbers. */
function bytesOf(value: object): Buffer | undefined {
  if (types.isUint8Array(value) || types.isDataView(value)) {
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  }
  return types.isAnyArrayBuffer(value) ? Buffer.from(value) : undefined
}

function hasToJson(value: object): value is { toJSON(key: string): unknown } {
  return "toJSON" in value && typeof value.toJSON === "function"
}
