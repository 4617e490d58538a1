import type { EventMessage } from "../../events/message"

/**
 * The message as one line of JSON: the topic, then the members of the body, byte for byte. A body that is no JSON object, has a
 * topic of its own or spans lines becomes the member `body`: as JSON when it is, else as text.
 */
export function jsonLine({ topic, body }: EventMessage): string {
  const parsed = parsedJson(body)
  const start = `{"topic":${JSON.stringify(topic)}`
  if (parsed === undefined) return `${start},"body":${JSON.stringify(body)}}\n`
  const isOneLine = !/[\r\n]/.test(body)
  if (isOneLine && isObject(parsed.value) && !Object.hasOwn(parsed.value, "topic")) return `${start}${members(body)}\n`
  return `${start},"body":${isOneLine ? body : JSON.stringify(parsed.value)}}\n`
}

/** What follows the brace that opens a JSON object, ready to follow another member. */
function members(body: string): string {
  const rest = body.trim().slice(1).trimStart()
  return rest === "}" ? rest : `,${rest}`
}

function parsedJson(body: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(body) }
  } catch {
    // Not every format is JSON; such a body is passed on as text.
    return undefined
  }
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}
