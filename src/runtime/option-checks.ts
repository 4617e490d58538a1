/** Sentences for what is wrong with the value; none if nothing is. */
export type OptionCheck = (value: unknown, name: string) => string[]

/** A part of a topic: words joined by dots, in which no pattern's wildcard stands. */
export function topicPart(value: unknown, name: string): string[] {
  if (typeof value !== "string") return [`${name} must be a string, got ${nameOf(value)}`]
  return /^[^\s.*?[\]]+(\.[^\s.*?[\]]+)*$/.test(value)
    ? []
    : [`${name} must be words joined by dots, without spaces or wildcards`]
}

export function oneOf(...allowed: readonly (string | boolean)[]): OptionCheck {
  const list = allowed.map((value) => JSON.stringify(value)).join(", ")
  return (value, name) =>
    allowed.includes(value as string) ? [] : [`${name} must be one of ${list}, got ${nameOf(value)}`]
}

export function wholeNumber(least: number, most: number): OptionCheck {
  return (value, name) => {
    const fits = Number.isInteger(value) && (value as number) >= least && (value as number) <= most
    return fits ? [] : [`${name} must be a whole number from ${least} to ${most}, got ${nameOf(value)}`]
  }
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}

/** What the value is, without the value: an option may hold a secret. */
export function nameOf(value: unknown): string {
  if (value === null) return "null"
  if (Array.isArray(value)) return "an array"
  if (typeof value === "number" || typeof value === "boolean") return String(value)
  return typeof value === "object" ? "an object" : `a ${typeof value}`
}
