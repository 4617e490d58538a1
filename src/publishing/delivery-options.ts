import { unknownKeyFaults } from "../runtime/option-faults"
import { kindOf } from "./kind-of"

/** How events are delivered to one broker. */
export interface DeliveryOptions {
  /** Most messages a call of `publishBatch` gets. Default 100. Range 1–10 000. A broker without it gets one at a time. */
  readonly batchSize: number
  /** How long a call may take, in milliseconds. Default 10 000. Range 1–3 600 000. */
  readonly publishTimeoutMs: number
  /**
   * Calls that an event may fail before it is given up, counted `failed` and reported. Default 5. Range 1–1 000 000.
   * A broker nobody could reach (BROKER_UNAVAILABLE, ECONNREFUSED and the like) has not judged the event: such calls do
   * not count, the event waits.
   */
  readonly maxAttempts: number
  /** The pause after the first failed call, in milliseconds; it doubles with each further one. Default 100. Range 0–3 600 000. */
  readonly retryDelayMs: number
  /** No pause is longer, in milliseconds. Default 30 000. Range 0–3 600 000. */
  readonly maxRetryDelayMs: number
  /**
   * The longest pause that a broker can ask for (a webhook's Retry-After, an error's `retryAfterMs`), in milliseconds. Such a pause may be longer
   * than `maxRetryDelayMs`. Default 300 000 (five minutes). Range 0–3 600 000; 0: it is not heeded.
   */
  readonly maxRetryAfterMs: number
  /** Failed calls in a row after which the broker only gets one message after each pause. Default 5. Range 1–1 000 000. */
  readonly circuitThreshold: number
  /** Events that may wait. Beyond it the newest is dropped, counted and reported. Default 100 000. Range 1–100 000 000. */
  readonly maxQueuedEvents: number
  /** What may wait, in bytes as the events estimate themselves. Default 67 108 864 (64 MiB). Range 1–1 TiB. */
  readonly maxQueuedBytes: number
}

export const deliveryDefaults: DeliveryOptions = {
  batchSize: 100,
  publishTimeoutMs: 10_000,
  maxAttempts: 5,
  retryDelayMs: 100,
  maxRetryDelayMs: 30_000,
  maxRetryAfterMs: 300_000,
  circuitThreshold: 5,
  maxQueuedEvents: 100_000,
  maxQueuedBytes: 64 * 1024 * 1024,
}

type Range = readonly [least: number, most: number]

const HOUR_MS = 3_600_000

const ranges: Readonly<Record<keyof DeliveryOptions, Range>> = {
  batchSize: [1, 10_000],
  publishTimeoutMs: [1, HOUR_MS],
  maxAttempts: [1, 1_000_000],
  retryDelayMs: [0, HOUR_MS],
  maxRetryDelayMs: [0, HOUR_MS],
  maxRetryAfterMs: [0, HOUR_MS],
  circuitThreshold: [1, 1_000_000],
  maxQueuedEvents: [1, 100_000_000],
  maxQueuedBytes: [1, 1024 ** 4],
}

/** The options with what is missing (or undefined) taken from the next one, at last from the defaults. */
export function deliveryOptions(...layers: readonly (Partial<DeliveryOptions> | undefined)[]): DeliveryOptions {
  const names = Object.keys(deliveryDefaults) as (keyof DeliveryOptions)[]
  const entries = names.map((name) => {
    const layer = layers.find((candidate) => candidate?.[name] !== undefined)
    return [name, (layer ?? deliveryDefaults)[name]] as const
  })
  return Object.fromEntries(entries) as unknown as DeliveryOptions
}

/** A sentence for everything wrong with the given options. `path` is where they stand, such as `brokers.audit.delivery`. */
export function deliveryFaults(path: string, given: unknown): string[] {
  if (given === undefined) return []
  if (typeof given !== "object" || given === null || Array.isArray(given))
    return [`${path} must be an object, got ${kindOf(given)}`]
  const values = given as Readonly<Record<string, unknown>>
  const known = Object.keys(ranges) as (keyof DeliveryOptions)[]
  return [
    ...unknownKeyFaults(given, known, path),
    ...known.flatMap((name) => rangeFaults(`${path}.${name}`, values[name], ranges[name])),
  ]
}

function rangeFaults(path: string, value: unknown, [least, most]: Range): string[] {
  if (value === undefined) return []
  if (Number.isInteger(value) && (value as number) >= least && (value as number) <= most) return []
  const got = typeof value === "number" ? String(value) : kindOf(value)
  return [`${path} must be a whole number from ${least} to ${most}, got ${got}`]
}
