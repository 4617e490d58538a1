/**
 * What the broker needs of a Redis client. `Redis` and `Cluster` of ioredis fit, and so does a client of node-redis. It is
 * declared here so that who does not use ioredis can compile without it.
 */
export interface RedisClient {
  /** ioredis: `wait`, `connecting`, `connect`, `ready`, `close`, `reconnecting` or `end`. */
  readonly status?: string
  /** node-redis: whether a command can be sent now. */
  readonly isReady?: boolean
  publish(channel: string, message: string): Promise<unknown>
  /** ioredis: several commands in one write. Without it the commands of a batch are sent one after the other. */
  pipeline?(): RedisPipeline
  connect?(): Promise<unknown>
  on?(event: "ready" | "close" | "end", listener: () => void): unknown
  off?(event: "ready" | "close" | "end", listener: () => void): unknown
}

export interface RedisPipeline {
  publish(channel: string, message: string): unknown
  exec(): Promise<readonly (readonly [error: Error | null, reply: unknown])[] | null>
}

/** A client that the broker made itself, and so may end. */
export interface OwnRedisClient extends RedisClient {
  on(event: "error", listener: (error: Error) => void): unknown
  on(event: "ready" | "close" | "end", listener: () => void): unknown
  quit(): Promise<unknown>
  disconnect(reconnect?: boolean): void
}
