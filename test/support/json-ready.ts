import { types } from "node:util"

/**
 * The value as an event shows it: dates in ISO 8601, bytes in base64, bigints and numbers that JSON lacks as text,
 * properties without a value left out. The oracle's own reading of that rule: it shares no code with the package.
 */
export function jsonReady(value: unknown): unknown {
  if (value === undefined || value === null) return null
  if (typeof value === "bigint") return String(value)
  if (typeof value === "number") return Number.isFinite(value) ? value : String(value)
  if (typeof value !== "object") return value
  // Not `instanceof`: Jest gives tests a realm of their own, and the driver's values are of the outer one.
  if (types.isDate(value)) return value.toISOString()
  if (types.isUint8Array(value)) return Buffer.from(value).toString("base64")
  if (Array.isArray(value)) return value.map(jsonReady)
  const entries = Object.entries(value).filter(([, item]) => item !== undefined)
  return Object.fromEntries(entries.map(([key, item]) => [key, jsonReady(item)]))
}
