export type Outcome = "success" | "failure" | "pending"

const WORDS: Readonly<Record<string, Outcome>> = { failure: "failure", failed: "failure", pending: "pending" }

/** The `outcome` of an application event's payload, or a job's `status`. What says nothing of it has succeeded. */
export function toldOutcome(payload: unknown): Outcome {
  const { outcome: told, status } = propertiesOf(payload)
  if (told === undefined && status === "failure") return "failure"
  return (typeof told === "string" && Object.hasOwn(WORDS, told) && WORDS[told]) || "success"
}

/** The value's properties, if it is an object. */
export function propertiesOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : {}
}
