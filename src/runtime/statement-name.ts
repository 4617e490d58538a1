import { createHash } from "node:crypto"

/**
 * The name to prepare a text under: the same in every process, and no other text's. Behind a pooler that mixes connections up a name may be
 * unknown or taken, but what it stands for is always the same statement.
 */
export function statementName(text: string): string {
  return `change_events_${createHash("sha256").update(text).digest("hex").slice(0, 24)}`
}
