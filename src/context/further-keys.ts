import { maskedCopy } from "../runtime/masked-copy"

/**
 * A frozen copy of what a context carries beside its own fields, as JSON holds it. What is named like a secret, at any depth
 * and in any spelling (`apiKey`, `API_KEY`, `x-api-key`), is masked before anything is kept.
 *
 * @throws Error naming the path of a function, a symbol, or a value that holds itself.
 */
export function furtherKeys(given: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return maskedCopy(given, { unkeepable }) as Readonly<Record<string, unknown>>
}

function unkeepable(path: readonly string[], problem: string): never {
  throw new Error(`\`${path.join(".")}\` ${problem}`)
}
