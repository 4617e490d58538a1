import { Redis } from "ioredis"

/** Whoever is there answers at once; the demo does not wait for others. */
const PATIENCE_MS = 500

export interface FoundRedis {
  /** Undefined when nobody answers. */
  readonly url: string | undefined
  /** What was found, for a person. Without a password that the url may hold. */
  readonly found: string
}

/** Asks the Redis of REDIS_URL, or the one on this machine, whether it is there. */
export async function findRedis(): Promise<FoundRedis> {
  const url = process.env["REDIS_URL"] ?? "redis://localhost:6379"
  const place = URL.canParse(url) ? new URL(url).host : url
  const client = new Redis(url, { lazyConnect: true, connectTimeout: PATIENCE_MS, retryStrategy: () => null })
  client.on("error", () => undefined)
  try {
    await client.connect()
    await client.ping()
    return { url, found: `${place} answers, so events go there as well: redis-cli PSUBSCRIBE 'inventory.*'` }
  } catch {
    return { url: undefined, found: `nobody answers at ${place}, so there is none this time (REDIS_URL names another)` }
  } finally {
    client.disconnect()
  }
}
