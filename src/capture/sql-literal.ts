import { quote } from "./image-sql"

/** Whether the columns hold one of the keys. */
export function isOneOf(columns: readonly string[], keys: readonly (readonly string[])[]): string {
  const tuple = (parts: readonly string[]): string =>
    parts.length === 1 ? (parts[0] as string) : `(${parts.join(", ")})`
  return `${tuple(columns.map(quote))} IN (${keys.map((key) => tuple(key.map(literal))).join(", ")})`
}

/** A text of several statements takes no parameters. */
export function literal(text: string): string {
  const quoted = `'${text.replaceAll("'", "''")}'`
  return text.includes("\\") ? `E${quoted.replaceAll("\\", "\\\\")}` : quoted
}
