import { asError, ChangeEventsError } from "../errors"

/** Deeper than this the path is not looked for: it would no longer help anybody, and looking costs a pass each level. */
const MAX_PATH_LENGTH = 32

/**
 * The value as JSON text. Nothing at all (undefined) is `null`.
 *
 * @throws ChangeEventsError `EVENT_UNSERIALIZABLE`, with the topic and the path of the value that JSON cannot hold: a bigint,
 * an object that holds itself, one whose `toJSON` throws. Never with the value.
 */
export function jsonBody(topic: string, value: unknown): string {
  try {
    const text = JSON.stringify(value ?? null) as string | undefined
    if (text !== undefined) return text
  } catch (thrown) {
    throw unserializable(topic, unserializablePath(value), thrown)
  }
  throw unserializable(topic, [], new TypeError(`JSON has no ${typeof value}`))
}

function unserializable(topic: string, keys: readonly string[], thrown: unknown): ChangeEventsError {
  const path = keys.join(".")
  const where = path === "" ? "its payload" : `the value at \`${path}\``
  return new ChangeEventsError("EVENT_UNSERIALIZABLE", `event \`${topic}\` cannot be sent: JSON cannot hold ${where}`, {
    cause: asError(thrown),
    details: { topic, path },
    retryable: false,
  })
}

function unserializablePath(value: unknown, ancestors: readonly unknown[] = []): readonly string[] {
  if (typeof value !== "object" || value === null || ancestors.length === MAX_PATH_LENGTH) return []
  const below = [...ancestors, value]
  for (const [key, item] of Object.entries(value)) {
    if (below.includes(item)) return [key]
    if (!isSerializable(item)) return [key, ...unserializablePath(item, below)]
  }
  return []
}

function isSerializable(value: unknown): boolean {
  try {
    JSON.stringify(value)
    return true
  } catch {
    return false
  }
}
