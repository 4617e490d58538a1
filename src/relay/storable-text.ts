/**
 * The text as Postgres can hold it, also in jsonb: without NUL, and without half a character, which a broker's text ends with where it was
 * cut. What a statement is refused for it is refused for ever.
 */
export function storableText(text: string): string {
  // Through UTF-8, where half a character becomes the replacement character.
  return Buffer.from(text).toString().replaceAll("\u0000", "\ufffd")
}
