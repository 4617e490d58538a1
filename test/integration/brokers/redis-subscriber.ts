import { EventEmitter, on } from "node:events"
import { Redis } from "ioredis"
import type { ReceivedMessage } from "../../contracts/broker-contract"

export interface RedisMessage extends ReceivedMessage {
  readonly pattern: string
}

export interface RedisSubscriber {
  readonly messages: readonly RedisMessage[]
  received(count: number): Promise<readonly ReceivedMessage[]>
  /** Resolves when it listens again after the server was away. */
  subscribedAgain(): Promise<void>
  stop(): void
}

/** A real subscriber with PSUBSCRIBE. */
export async function subscribeToRedis(url: string, pattern: string): Promise<RedisSubscriber> {
  const client = new Redis(url, { retryStrategy: () => 20, enableReadyCheck: false, disconnectTimeout: 100 })
  const arrivals = new EventEmitter()
  const messages: RedisMessage[] = []
  client.on("error", () => undefined)
  client.on("pmessage", (matched: string, topic: string, body: string) => {
    messages.push({ pattern: matched, topic, body })
    arrivals.emit("message")
  })
  await client.psubscribe(pattern)
  return {
    messages,
    async received(count) {
      if (messages.length < count) {
        for await (const _ of on(arrivals, "message")) if (messages.length >= count) break
      }
      return messages.map(({ topic, body }) => ({ topic, body }))
    },
    subscribedAgain: async () => void (await client.psubscribe(pattern)),
    stop: () => client.disconnect(),
  }
}
