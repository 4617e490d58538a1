import { checkOptions } from "../parts/check-options"
import { milliseconds, objectWith, type OptionCheck } from "../parts/option-checks"
import type { RedisClient } from "./redis-client"
import { givenConnection, ownConnection, type RedisConnection } from "./redis-connection"

export interface RedisServer {
  /** `redis://[user:password@]host[:port][/db]`, `rediss://…` for TLS, or the path of a Unix socket. */
  readonly url: string
  readonly client?: undefined
  /** How long a publish waits for the connection, and an attempt to connect may last, in milliseconds. Default 5 000. */
  readonly connectTimeoutMs?: number
  /** How long Redis may take to answer, in milliseconds. Default 5 000. After that the connection is made anew. */
  readonly commandTimeoutMs?: number
  /** The longest pause between two attempts to connect, in milliseconds. Default 2 000; the first pause is 50. */
  readonly maxReconnectDelayMs?: number
}

export interface RedisReadyClient {
  /**
   * A client of ioredis or node-redis, which stays open at `close()`. Make it with `enableOfflineQueue: false`: what a client
   * queues while it is disconnected has no bound. Through node-redis a batch goes one message at a time.
   */
  readonly client: RedisClient
  readonly url?: undefined
  /** How long Redis may take to answer, in milliseconds. Default 5 000. */
  readonly commandTimeoutMs?: number
}

/** What all Redis brokers are given, with the defaults filled in. */
export interface RedisAccess {
  /** The factory's name. */
  readonly broker: string
  readonly connection: RedisConnection
  readonly connectTimeoutMs: number
  readonly commandTimeoutMs: number
}

export interface RedisFactory {
  readonly name: string
  /** The options it has beside those of every Redis broker. */
  readonly checks: Readonly<Record<string, OptionCheck>>
}

/** Connects to nothing yet. @throws OPTIONS_INVALID, BROKER_CLIENT_MISSING */
export function redisAccess(factory: RedisFactory, options: RedisServer | RedisReadyClient): RedisAccess {
  const checks = { ...accessChecks, ...factory.checks }
  checkOptions({
    factory: factory.name,
    options,
    checks,
    needsOneOf: ["url", "client"],
    notWithClient: ["url", "connectTimeoutMs", "maxReconnectDelayMs"],
  })
  const { connectTimeoutMs = 5_000, maxReconnectDelayMs = 2_000 } = options as RedisServer
  const connection = options.client
    ? givenConnection(options.client)
    : ownConnection({ url: options.url, connectTimeoutMs, maxReconnectDelayMs, neededBy: factory.name })
  return { broker: factory.name, connection, connectTimeoutMs, commandTimeoutMs: options.commandTimeoutMs ?? 5_000 }
}

const redisUrl: OptionCheck = (value) => {
  if (typeof value === "string" && (/^rediss?:\/\//.test(value) ? URL.canParse(value) : value.startsWith("/")))
    return undefined
  return "must be a redis:// or rediss:// URL, or the path of a Unix socket"
}

const accessChecks = {
  url: redisUrl,
  client: objectWith("publish"),
  connectTimeoutMs: milliseconds,
  commandTimeoutMs: milliseconds,
  maxReconnectDelayMs: milliseconds,
}
