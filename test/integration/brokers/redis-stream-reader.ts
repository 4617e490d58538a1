import { Redis } from "ioredis"

/** The fields of one entry, by name. */
export type StreamEntryFields = Readonly<Record<string, string>>

export interface RedisStreamReader {
  /** Resolves when so many entries were read, with all of them in order. They outlast a server that is emptied by a restart. */
  received(count: number): Promise<readonly StreamEntryFields[]>
  stop(): void
}

/** A real consumer, which waits with XREAD BLOCK for what comes next. */
export function readRedisStream(url: string, stream: string): RedisStreamReader {
  const client = new Redis(url, { retryStrategy: () => 20, maxRetriesPerRequest: null, disconnectTimeout: 100 })
  const entries: StreamEntryFields[] = []
  let last = "0"
  client.on("error", () => undefined)
  return {
    async received(count) {
      while (entries.length < count) {
        const [[, added] = ["", []]] = (await client.xread("BLOCK", 0, "STREAMS", stream, last)) ?? []
        for (const [id, fields] of added) {
          entries.push(byName(fields))
          last = id
        }
      }
      return entries
    },
    stop: () => client.disconnect(),
  }
}

function byName(fields: readonly string[]): StreamEntryFields {
  return Object.fromEntries(fields.flatMap((name, at) => (at % 2 === 0 ? [[name, fields[at + 1] as string]] : [])))
}
