import type { EventMessage } from "../../events/message"

/** What HTTP, the signature or the url says, and no event. */
const RESERVED =
  /^(?:connection|content-length|content-type|expect|host|keep-alive|te|trailer|transfer-encoding|upgrade|authorization|(?:proxy|webhook|sec)-.*)$/

/** The event's own headers, as a request can carry them. Receivers decode them as they do a URL. */
export function eventRequestHeaders(message: EventMessage): Readonly<Record<string, string>> {
  const headers = Object.entries(message.headers).map(([name, value]) => {
    // The attributes of CloudEvents come encoded, as its own specification has it.
    return [headerName(name), name.startsWith("ce-") ? encodedValue(value) : headerValue(value)] as const
  })
  return Object.fromEntries(headers.filter(([name]) => name !== "" && !RESERVED.test(name)))
}

/** Percent-encodes what a value of a header must not hold, or may lose on its way, and the percent sign. */
export function headerValue(value: string): string {
  return encodedValue(value.replaceAll("%", "%25"))
}

function encodedValue(value: string): string {
  return value.replace(/[^\x21\x23-\x7e]+/g, percentEncoded)
}

/** The media type; its spaces and quotes have a meaning. */
export function contentTypeValue(contentType: string): string {
  return contentType.replace(/[^\x20-\x7e]+/g, percentEncoded)
}

function headerName(name: string): string {
  return name.toLowerCase().replace(/[^!#$&'*+.^_`|~0-9a-z-]+/g, percentEncoded)
}

function percentEncoded(characters: string): string {
  return Buffer.from(characters).toString("hex").toUpperCase().replace(/../g, "%$&")
}
