/** Whether the server itself refused the statement, and nothing of it stands: not one that went down, or out of reach. */
export function isServersWord(error: unknown): boolean {
  const code = (error as { code?: unknown } | undefined)?.code
  return typeof code === "string" && /^(?!08|57P)[0-9A-Z]{5}$/.test(code)
}

/** Whether it was refused because of an earlier failure of its transaction. */
export function isOfFailedTransaction(error: unknown): boolean {
  return (error as { code?: unknown } | undefined)?.code === "25P02"
}

/** Whether the whole transaction is to be tried again: a failure of serialization, a deadlock. */
export function isToBeRepeated(error: unknown): boolean {
  return String((error as { code?: unknown } | undefined)?.code).startsWith("40")
}

/** Whether a table that it names is not there. */
export function isWithoutTable(error: unknown): boolean {
  return (error as { code?: unknown } | undefined)?.code === "42P01"
}
