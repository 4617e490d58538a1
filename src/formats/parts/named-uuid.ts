import { createHash } from "node:crypto"

/** The UUID version 5 (RFC 9562) of a name within a namespace, which is a UUID itself: the same name has the same UUID. */
export function uuidv5(namespace: string, name: string): string {
  const hash = createHash("sha1")
    .update(Buffer.from(hexOf(namespace), "hex"))
    .update(name, "utf8")
    .digest()
  hash[6] = ((hash[6] as number) & 0x0f) | 0x50
  hash[8] = ((hash[8] as number) & 0x3f) | 0x80
  return hash.toString("hex", 0, 16).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5")
}

/** The 32 digits of a UUID. */
export function hexOf(uuid: string): string {
  return uuid.replaceAll("-", "")
}
