import type { CloudEventAttributes } from "./attributes"

/**
 * The attributes as headers of the HTTP and NATS bindings, which want characters that are not printable ASCII, spaces, quotes and
 * percent signs percent-encoded. `datacontenttype` is the content type, so it has no header of its own.
 */
export function attributeHeaders(attributes: CloudEventAttributes): Readonly<Record<string, string>> {
  const entries = Object.entries(attributes).filter(([name]) => name !== "datacontenttype")
  return Object.fromEntries(entries.map(([name, value]) => [`ce-${name}`, percentEncoded(value)]))
}

/** `toWellFormed` would need a later Node: half a character becomes the replacement character through UTF-8. */
function percentEncoded(value: string): string {
  return value.replace(/[^\x21-\x7e]+|["%]/g, (part) =>
    Array.from(Buffer.from(part, "utf8"), (byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`).join(""),
  )
}
