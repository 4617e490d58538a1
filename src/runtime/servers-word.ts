/** Whether the server itself refused the statement, and nothing of it stands: not one that went down, or out of reach. */
export function isServersWord(error: unknown): boolean {
  const code = (error as { code?: unknown } | undefined)?.code
  return typeof code === "string" && /^(?!08|57P)[0-9A-Z]{5}$/.test(code)
}
