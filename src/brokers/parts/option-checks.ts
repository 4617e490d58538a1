import { nearestName } from "../../runtime/nearest-name"

/** What is wrong with a value, as the rest of a sentence that begins with the option's name; undefined when nothing is. */
export type OptionCheck = (value: unknown) => string | undefined

export function wholeNumber(from: number, to: number): OptionCheck {
  return (value) =>
    Number.isInteger(value) && (value as number) >= from && (value as number) <= to
      ? undefined
      : `must be a whole number from ${from} to ${to}`
}

/** A pause or a limit in milliseconds: 1 to one hour. */
export const milliseconds = wholeNumber(1, 3_600_000)

export const trueOrFalse: OptionCheck = (value) => (typeof value === "boolean" ? undefined : "must be true or false")

export const text: OptionCheck = (value) =>
  typeof value === "string" && value !== "" ? undefined : "must be a text that is not empty"

/** An object that has these methods. */
export function objectWith(...methods: readonly string[]): OptionCheck {
  const list = methods.map((method) => `${method}()`).join(", ")
  return (value) => {
    const object = (typeof value === "object" && value !== null ? value : {}) as Readonly<Record<string, unknown>>
    const complete = typeof value === "object" && methods.every((method) => typeof object[method] === "function")
    return complete && value !== null ? undefined : list === "" ? "must be an object" : `must be an object with ${list}`
  }
}

/** One of these names; a fault says which one was probably meant. */
export function oneOf(names: readonly string[]): OptionCheck {
  return (value) => {
    if (typeof value === "string" && names.includes(value)) return undefined
    const nearest = typeof value === "string" ? nearestName(value, names) : undefined
    return nearest === undefined ? `must be one of ${names.join(", ")}` : `is unknown, did you mean \`${nearest}\`?`
  }
}
