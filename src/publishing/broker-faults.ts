import { nearestName } from "../runtime/nearest-name"
import { oneOf, wholeNumber, type OptionCheck } from "../runtime/option-checks"
import { unknownKeyFaults } from "../runtime/option-faults"
import { deliveryFaults } from "./delivery-options"
import { kindOf } from "./kind-of"

type Values = Readonly<Record<string, unknown>>

const OPTION_NAMES = ["topics", "format", "delivery", "onPoison", "shards"] as const
const FORMAT_NAMES = ["record"] as const

/**
 * A sentence for everything wrong with an entry of `brokers`: a broker, or `{ use: broker, topics, format, delivery }`. `path` is
 * where it stands, such as `brokers.audit`. Never throws.
 */
export function brokerEntryFaults(path: string, entry: unknown): string[] {
  return guarded(path, () => {
    if (!isPlainObject(entry) || typeof entry["publish"] === "function") return brokerFaults(path, entry)
    const { use, ...options } = entry
    return [
      ...brokerFaults(`${path}.use`, use),
      ...unknownKeyFaults(options, ["use", ...OPTION_NAMES], path),
      ...optionFaults(path, options),
    ]
  })
}

/** The same for what `registerBroker` is given. */
export function registrationFaults(path: string, broker: unknown, options: unknown): string[] {
  return guarded(path, () => {
    const faults = brokerFaults(path, broker)
    if (options === undefined) return faults
    if (!isObject(options)) return [...faults, `${path} must have an object of options, got ${kindOf(options)}`]
    return [...faults, ...unknownKeyFaults(options, OPTION_NAMES, path), ...optionFaults(path, options)]
  })
}

function guarded(path: string, faults: () => string[]): string[] {
  try {
    return faults()
  } catch {
    return [`${path} cannot be read: one of its properties throws`]
  }
}

function brokerFaults(path: string, broker: unknown): string[] {
  const properties = (typeof broker === "object" || typeof broker === "function" ? broker : null) as Values | null
  if (typeof properties?.["publish"] !== "function") {
    return [`${path} must be a broker with a publish function, got ${kindOf(broker)}`]
  }
  return ["publishBatch", "close"].flatMap((name) => {
    const value = properties[name]
    return value === undefined || typeof value === "function" ? [] : [mustBe(`${path}.${name}`, "a function", value)]
  })
}

function optionFaults(path: string, options: Values): string[] {
  return [
    ...topicsFaults(`${path}.topics`, options["topics"]),
    ...formatFaults(`${path}.format`, options["format"]),
    ...deliveryFaults(`${path}.delivery`, options["delivery"]),
    ...given(options["onPoison"], oneOf("hold-key", "skip"), `${path}.onPoison`),
    ...given(options["shards"], wholeNumber(1, 64), `${path}.shards`),
  ]
}

function given(value: unknown, check: OptionCheck, path: string): string[] {
  return value === undefined ? [] : check(value, path)
}

function topicsFaults(path: string, topics: unknown): string[] {
  if (topics === undefined) return []
  if (!isObject(topics)) return [mustBe(path, "an object with include or exclude", topics)]
  const names = ["include", "exclude"]
  return [
    ...unknownKeyFaults(topics, names, path),
    ...names.flatMap((name) => patternsFaults(`${path}.${name}`, topics[name])),
  ]
}

function patternsFaults(path: string, patterns: unknown): string[] {
  if (patterns === undefined || patterns === null) return []
  if (!Array.isArray(patterns)) return [mustBe(path, "an array of patterns", patterns)]
  return patterns.flatMap((pattern: unknown, index) =>
    typeof pattern === "string" ? [] : [mustBe(`${path}[${index}]`, "a pattern, which is a string", pattern)],
  )
}

function formatFaults(path: string, format: unknown): string[] {
  if (format === undefined || format === "record" || typeof format === "function") return []
  const known = `"record" or a format function`
  if (typeof format !== "string") return [mustBe(path, known, format)]
  const nearest = nearestName(format, FORMAT_NAMES)
  const hint = nearest === undefined ? "" : `, did you mean "${nearest}"?`
  return [`${path} must be ${known}, got "${format}"${hint}`]
}

function mustBe(path: string, wanted: string, value: unknown): string {
  return `${path} must be ${wanted}, got ${kindOf(value)}`
}

function isObject(value: unknown): value is Values {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}

/** What somebody wrote down as `{ … }`: an instance of a class is meant to be a broker itself. */
function isPlainObject(value: unknown): value is Values {
  if (!isObject(value)) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}
