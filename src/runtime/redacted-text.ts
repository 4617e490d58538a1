const REDACTED = "(redacted)"

/** More of a text is not read: nobody reads on, and searching costs. */
const MAX_CHARACTERS = 20_000

const NAMES =
  "pass(?:word|wd|phrase|code)|pwd|secret|token|api[_-]?key|private[_-]?key|access[_-]?key|credentials?|session[_-]?id"

/** Each with what stays of it in place of the whole. Searching is linear: no two of a pattern's repetitions can take the same text. */
const SECRETS: readonly (readonly [RegExp, string])[] = [
  [/-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----[^]*?(?:-----END [A-Z ]{0,40}PRIVATE KEY-----|$)/g, REDACTED],
  // The password may hold a slash or an @ that nobody encoded; a port is none.
  [/(:\/\/)[^\s/?#:@"'<>]*:(?!\d{1,5}(?:[/?#\s]|$))[^\s"'<>]{0,2000}@/g, `$1${REDACTED}@`],
  [/(:\/\/)[^\s/?#"'<>]{0,2000}@/g, `$1${REDACTED}@`],
  [/\b((?:set-)?cookie|(?:proxy-)?authorization)(\\?["']?\s{0,8}[:=]\s{0,8}).{1,4000}/gi, `$1$2${REDACTED}`],
  [/\b(bearer|basic)\s{1,8}[\w.~+/-]{8,4000}=*/gi, `$1 ${REDACTED}`],
  [
    new RegExp(
      `((?:${NAMES})[\\w-]{0,40}\\\\?["']?\\s{0,8}(?:=>|[:=])\\s{0,8})` +
        `(?:"(?:[^"\\\\]|\\\\.){0,4000}"|'(?:[^'\\\\]|\\\\.){0,4000}'|[^\\s,;&)\\]}]{1,4000})`,
      "gi",
    ),
    `$1${REDACTED}`,
  ],
  [/\beyJ[\w-]{5,4000}\.[\w-]{5,4000}\.[\w-]{0,4000}/g, REDACTED],
]

/**
 * The text without what looks like a secret: credentials in URLs, values assigned to a name like a secret's (`password=…`,
 * `"apiKey": "…"`), authorisation and cookie headers, web tokens, private keys. A text of free words can hold a secret that nothing
 * gives away: it stays. At most 20 000 characters.
 */
export function redactedText(text: string): string {
  const cut = text.length > MAX_CHARACTERS ? `${text.slice(0, MAX_CHARACTERS)}…` : text
  return SECRETS.reduce((left, [pattern, replacement]) => left.replace(pattern, replacement), cut)
}
