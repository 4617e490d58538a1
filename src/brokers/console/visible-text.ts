/**
 * The text with everything escaped that a terminal acts upon or hides: control characters (an escape sequence could clear the
 * screen, or type), and the marks that turn the direction of writing, which let one text look like another.
 */
export function visibleText(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, escaped)
}

/** Joins emoji, and shapes some scripts; harmless. */
const HARMLESS = new Set(["\u200c", "\u200d"])

function escaped(character: string): string {
  if (HARMLESS.has(character)) return character
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`
}
