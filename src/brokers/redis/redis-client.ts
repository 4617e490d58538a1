/**
 * What the brokers need of a Redis client. `Redis` and `Cluster` of ioredis fit, and so does a client of node-redis. It is
 * declared here so that who does not use ioredis can compile without it.
 */
export interface RedisClient {
  /** ioredis: `wait`, `connecting`, `connect`, `ready`, `close`, `reconnecting` or `end`. */
  readonly status?: string
  /** node-redis: whether a command can be sent now. */
  readonly isReady?: boolean
  /** ioredis: whether it is a Cluster. */
  readonly isCluster?: boolean
  publish(channel: string, message: string): Promise<unknown>
  /** ioredis: adds an entry to a stream. */
  xadd?(stream: string, ...rest: readonly (string | number)[]): Promise<unknown>
  /** node-redis: adds an entry to a stream. */
  xAdd?(stream: string, id: string, fields: Readonly<Record<string, string>>, options?: object): Promise<unknown>
  /** ioredis: several commands in one write. Without it the commands of a batch are sent one at a time. */
  pipeline?(): RedisPipeline
  /** ioredis: a pipeline that is one transaction. That of node-redis is another thing, and not used. */
  multi?(): unknown
  connect?(): Promise<unknown>
  on?(event: "ready" | "close" | "end", listener: () => void): unknown
  off?(event: "ready" | "close" | "end", listener: () => void): unknown
}

export interface RedisPipeline {
  publish(channel: string, message: string): unknown
  xadd(stream: string, ...rest: readonly (string | number)[]): unknown
  exec(): Promise<readonly RedisReply[] | null>
}

export type RedisReply = readonly [error: Error | null, reply?: unknown]

/** A client that the broker made itself, and so may end. */
export interface OwnRedisClient extends RedisClient {
  on(event: "error", listener: (error: Error) => void): unknown
  on(event: "ready" | "close" | "end", listener: () => void): unknown
  /** A command that was made before. Its text goes to the stream, where one is given. */
  sendCommand(command: object, stream?: object): unknown
  quit(): Promise<unknown>
  disconnect(reconnect?: boolean): void
}
