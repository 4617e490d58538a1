import { createHmac } from "node:crypto"

const PREFIX = "whsec_"

/** What a secret must hold at least and at most, in bytes: Standard Webhooks, "Signature scheme". */
const MIN_SECRET_BYTES = 24
const MAX_SECRET_BYTES = 64

/** What is signed, as it is sent. */
export interface SignedMessage {
  readonly id: string
  /** Seconds since 1970. */
  readonly timestamp: number
  readonly body: string
}

/** The header `webhook-signature` of Standard Webhooks: a signature with each secret, so that a receiver needs to know one of them. */
export function webhookSignature({ id, timestamp, body }: SignedMessage, keys: readonly Buffer[]): string {
  const signatures = keys.map((key) => createHmac("sha256", key).update(`${id}.${timestamp}.${body}`).digest("base64"))
  return signatures.map((signature) => `v1,${signature}`).join(" ")
}

/** The key that is in `whsec_<base64>`; undefined if it is not one. */
export function signingKey(secret: unknown): Buffer | undefined {
  if (typeof secret !== "string" || !secret.startsWith(PREFIX)) return undefined
  const encoded = secret.slice(PREFIX.length)
  const key = Buffer.from(encoded, "base64")
  const isBase64 = key.toString("base64").replace(/=+$/, "") === encoded.replace(/=+$/, "")
  return isBase64 && key.length >= MIN_SECRET_BYTES && key.length <= MAX_SECRET_BYTES ? key : undefined
}
