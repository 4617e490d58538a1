const NAME = String.raw`(?:"(?:[^"]|"")+"|[A-Za-z_][\w$]*)`
const WRITE = new RegExp(
  String.raw`^\s*(?:INSERT\s+INTO|UPDATE(?:\s+ONLY)?|DELETE\s+FROM(?:\s+ONLY)?|MERGE\s+INTO(?:\s+ONLY)?|COPY|TRUNCATE(?:\s+TABLE)?(?:\s+ONLY)?)` +
    String.raw`\s+(${NAME}(?:\s*\.\s*${NAME})?)(\s*,)?`,
  "i",
)
const QUOTED = /'(?:[^']|'')*'|"(?:[^"]|"")*"/g
const WRITE_IN_CTE = /\(\s*(?:INSERT\s+INTO|UPDATE|DELETE\s+FROM|MERGE\s+INTO)\b/i

/** `schema.table` or `table` as the database folds it; undefined when the text writes to several tables or hides which. */
export function writtenTable(text: string): string | undefined {
  const match = WRITE.exec(text.replace(/^(\s*\/\*[\s\S]*?\*\/|\s*--[^\n]*\n)+/, ""))
  if (!match?.[1] || match[2]) return undefined
  return match[1]
    .split(/\s*\.\s*(?=(?:[^"]*"[^"]*")*[^"]*$)/)
    .map((name) => (name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name.toLowerCase()))
    .join(".")
}

/** Whether a WITH holds a write that the command tag (SELECT) does not tell. */
export function hidesWrite(text: string): boolean {
  return /^\s*(\/\*[\s\S]*?\*\/\s*)*WITH\b/i.test(text) && WRITE_IN_CTE.test(text.replace(QUOTED, "''"))
}
