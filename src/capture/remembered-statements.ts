import { sharedState } from "../runtime/shared-state"
import type { CapturedStatement } from "./captured-statement"

/**
 * The statement that a list of parameters belongs to. TypeORM hands the list that its builder made to the driver as it is, so its
 * identity tells a captured statement from any other, without a look at the text.
 */
const statements = sharedState("statements", () => new WeakMap<readonly unknown[], CapturedStatement>())

export function rememberStatement(parameters: readonly unknown[], statement: CapturedStatement): void {
  statements.set(parameters, statement)
}

/** What is captured by a call to `query`; undefined for any other call. */
export function statementOf([, values]: unknown[]): CapturedStatement | undefined {
  return Array.isArray(values) ? statements.get(values) : undefined
}
