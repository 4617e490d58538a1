export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** With `standard_conforming_strings`, which the functions set. */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}

/** In dollar quotes that do not occur in it. */
export function dollarQuoted(text: string): string {
  let tag = "$change_events$"
  while (text.includes(tag)) tag = `${tag.slice(0, -1)}_$`
  return `${tag}${text}${tag}`
}
