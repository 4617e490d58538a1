export type TransactionCommand =
  "begin" | "savepoint" | "release" | "rollback to" | "rollback" | "commit" | "prepare transaction"

/**
 * What a statement did to the transaction, from the command tag of the server's answer. The text is asked only for what the tag does
 * not tell: ROLLBACK is also the tag of ROLLBACK TO, and of a COMMIT that the server refused.
 */
export function transactionCommand(tag: string | null, text: string): TransactionCommand | undefined {
  switch (tag) {
    case "BEGIN":
    case "START":
      return "begin"
    case "SAVEPOINT":
      return "savepoint"
    case "RELEASE":
      return "release"
    case "COMMIT":
      return /^\s*(COMMIT|ROLLBACK)\s+PREPARED\b/i.test(text) ? undefined : "commit"
    case "ROLLBACK":
      return rollback(stripComments(text))
    case "PREPARE":
      return /^PREPARE\s+TRANSACTION\b/i.test(stripComments(text)) ? "prepare transaction" : undefined
    default:
      return undefined
  }
}

function rollback(text: string): TransactionCommand | undefined {
  if (/^ROLLBACK\s+PREPARED\b/i.test(text)) return undefined
  return /^ROLLBACK(\s+(WORK|TRANSACTION))?\s+TO\b/i.test(text) ? "rollback to" : "rollback"
}

const ROLLBACK = /^(ROLLBACK(?!(\s+(WORK|TRANSACTION))?\s+TO\b)|ABORT)\b/i
const COMMIT = /^(COMMIT|END|PREPARE\s+TRANSACTION)\b/i

/** How the text, had it succeeded, would have ended a transaction; "commit" if one of its statements might have. */
export function transactionEnding(text: string): "commit" | "rollback" | undefined {
  const statements = splitStatements(text)
  if (statements.some((statement) => COMMIT.test(statement))) return "commit"
  return statements.some((statement) => ROLLBACK.test(statement)) ? "rollback" : undefined
}

/** The savepoint that SAVEPOINT, RELEASE or ROLLBACK TO names, folded to lower case unless quoted. */
export function savepointName(text: string): string {
  const name = /("(?:[^"]|"")+"|[^\s"]+)\s*;?\s*$/.exec(stripComments(text))?.[1] ?? ""
  const bare = name.replace(/;$/, "")
  return bare.startsWith('"') ? bare.slice(1, -1).replaceAll('""', '"') : bare.toLowerCase()
}

// No group is repeated for each character: of a literal of megabytes that overflows the stack.
const QUOTED_OR_COMMENT =
  /[eE]'[^'\\]*(?:(?:\\[\s\S]|'')[^'\\]*)*'|'[^']*(?:''[^']*)*'|"[^"]*(?:""[^"]*)*"|\$([A-Za-z_]\w*)?\$[\s\S]*?\$\1\$|--[^\n]*|\/\*[\s\S]*?\*\//g

/** The statements of a text, without comments: cut at semicolons that stand outside quotes. */
export function splitStatements(text: string): string[] {
  if (!text.includes(";") && !text.includes("--") && !text.includes("/*"))
    return text.trim() === "" ? [] : [text.trim()]
  const kept: string[] = []
  const marked = text.replace(QUOTED_OR_COMMENT, (part) => {
    if (part.startsWith("--") || part.startsWith("/*")) return " "
    kept.push(part)
    return `\u0000${kept.length - 1}\u0000`
  })
  return marked
    .split(";")
    .map((statement) => statement.replace(/\u0000(\d+)\u0000/g, (_, index) => kept[Number(index)] ?? "").trim())
    .filter((statement) => statement !== "")
}

function stripComments(text: string): string {
  return splitStatements(text)[0] ?? ""
}
