const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/

/**
 * The W3C trace context of a `traceparent` header, or undefined when the header is not valid. A version later than this one
 * knows (00) is read as far as 00 goes and given back as 00, as the recommendation asks.
 */
export function validTraceparent(header: unknown): string | undefined {
  const parts = typeof header === "string" ? TRACEPARENT.exec(header) : null
  if (!parts) return undefined
  const [, version, traceId, parentId, flags, rest] = parts as unknown as string[]
  if (version === "ff" || (version === "00" && rest !== undefined)) return undefined
  if (isZero(traceId as string) || isZero(parentId as string)) return undefined
  return `00-${traceId}-${parentId}-${version === "00" ? flags : sampledOnly(flags as string)}`
}

function isZero(digits: string): boolean {
  return /^0+$/.test(digits)
}

/** The one flag that version 00 knows. */
function sampledOnly(flags: string): string {
  return (parseInt(flags, 16) & 1).toString().padStart(2, "0")
}
