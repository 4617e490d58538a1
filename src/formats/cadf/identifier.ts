import { createHash } from "node:crypto"
import { hexOf, uuidv5 } from "../parts/named-uuid"

/** Keystone's namespace for the ids of users that are no UUIDs themselves. It never changes. */
const USER_NAMESPACE = "4332ecab-770b-4288-a680-b9aca3b1b153"

/** Makes the id of something from a name for it: the same name, the same id. */
export type Identify = (name: string) => string

/** As pyCADF does it, but from a name where that takes a random number. */
export function identifierIn(namespace: string): Identify {
  const namespaceId = createHash("sha256").update(namespace, "utf8").digest("hex").slice(0, 32)
  return (name) => uuidv5(namespaceId, name)
}

/** A user's id as CADF wants it: the id itself if it is a UUID in any spelling, else 32 digits made from it. */
export function userIdentifier(id: string): string {
  const digits = id.replace(/^urn:uuid:/i, "").replace(/[{}-]/g, "")
  return /^[0-9a-f]{32}$/i.test(digits) ? id : hexOf(uuidv5(USER_NAMESPACE, id))
}
