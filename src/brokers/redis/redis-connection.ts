import { ChangeEventsError } from "../../errors"
import { backoffMs } from "../../runtime/backoff"
import { peerPackage } from "../parts/peer-package"
import { within } from "../../runtime/within"
import type { OwnRedisClient, RedisClient } from "./redis-client"
import { transactionWriter, type IoRedisCommands, type WriteTransaction } from "./written-transaction"

/** A client, and what is ours to do with it. */
export interface RedisConnection {
  readonly client: RedisClient
  /** Undefined where commands are better left to the client. */
  readonly writeTransaction?: WriteTransaction | undefined
  /** Why the last attempt to connect failed; undefined while connected, and for a client that was handed in. */
  lastError(): Error | undefined
  /** Drops what is still waiting for an answer, and connects anew. */
  reset(): void
  close(): Promise<void>
}

export interface RedisServerOptions {
  readonly url: string
  readonly connectTimeoutMs: number
  readonly maxReconnectDelayMs: number
  /** The factory that makes the client. */
  readonly neededBy: string
}

type IoRedisClient = new (options: object, url: string) => OwnRedisClient

interface IoRedisModule extends IoRedisCommands {
  /** From 5.3 on. */
  readonly Redis?: IoRedisClient
  readonly default: IoRedisClient
}

/** How long `close()` waits for the answer to QUIT, and then for the connection to end, in milliseconds each. */
const CLOSE_TIMEOUT_MS = 500

/** A client that was handed in: it connects, reconnects and is closed by whoever made it. */
export function givenConnection(client: RedisClient): RedisConnection {
  return { client, lastError: () => undefined, reset: () => undefined, close: async () => undefined }
}

/** A client of our own. Nothing is connected before the first publish. */
export function ownConnection(server: RedisServerOptions): RedisConnection {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- an optional peer, wanted only when a broker is made
  const ioredis = peerPackage("ioredis", server.neededBy, () => require("ioredis")) as IoRedisModule
  const client = createClient(ioredis, server)
  let lastError: Error | undefined
  client.on("error", (error) => (lastError = error))
  client.on("ready", () => (lastError = undefined))
  return {
    client,
    writeTransaction: transactionWriter(ioredis, client),
    lastError: () => lastError,
    reset: () => client.disconnect(true),
    close: () => closeClient(client),
  }
}

function createClient(
  { default: IoRedis, Redis = IoRedis }: IoRedisModule,
  server: RedisServerOptions,
): OwnRedisClient {
  // The options come first, so that a query in the url cannot turn the offline queue on again.
  return new Redis(
    {
      lazyConnect: true,
      connectTimeout: server.connectTimeoutMs,
      disconnectTimeout: CLOSE_TIMEOUT_MS,
      // A command is sent now or rejected now. ioredis has no limit for the queue it would keep otherwise.
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      maxRetriesPerRequest: 0,
      retryStrategy: (attempt: number) => backoffMs(attempt, { baseMs: 50, maxMs: server.maxReconnectDelayMs }),
    },
    server.url,
  )
}

async function closeClient(client: OwnRedisClient): Promise<void> {
  if (client.status === "end") return
  const ended = new Promise<void>((resolve) => client.on("end", resolve))
  const late = (): Error => new Error("late")
  // QUIT lets the answers come that are on their way; a server that is gone does not answer.
  if (client.status === "ready") await within(CLOSE_TIMEOUT_MS, client.quit(), late).catch(() => undefined)
  const isConnected = client.status !== "reconnecting" && client.status !== "close"
  client.disconnect()
  // Between two attempts there is no connection whose end could be waited for.
  if (isConnected) await within(2 * CLOSE_TIMEOUT_MS, ended, late).catch(() => undefined)
}

/**
 * Resolves when the client can send. An attempt to connect that is under way is waited for, unless the one before it failed.
 *
 * @throws BROKER_UNAVAILABLE
 */
export async function whenConnected(connection: RedisConnection, timeoutMs: number): Promise<void> {
  const { client } = connection
  if (isReady(client)) return
  if (client.status === "wait") client.connect?.().catch(() => undefined)
  const isFirstAttempt = client.status === "connecting" || client.status === "connect"
  if (!isFirstAttempt || connection.lastError() !== undefined) throw unavailable(connection)
  try {
    await within(timeoutMs, outcome(client), () => new Error(`no answer within ${timeoutMs} ms`))
  } catch (cause) {
    connection.reset()
    throw unavailable(connection, cause as Error)
  }
  if (!isReady(client)) throw unavailable(connection)
}

function isReady(client: RedisClient): boolean {
  return client.status === undefined ? client.isReady !== false : client.status === "ready"
}

/** Resolves when the attempt to connect has come to an end, good or bad. */
function outcome(client: RedisClient): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      for (const event of ["ready", "close", "end"] as const) client.off?.(event, done)
      resolve()
    }
    for (const event of ["ready", "close", "end"] as const) client.on?.(event, done)
  })
}

function unavailable(
  connection: RedisConnection,
  cause: Error | undefined = connection.lastError(),
): ChangeEventsError {
  const message = `Redis is not connected${cause === undefined ? "" : `: ${cause.message}`}`
  return new ChangeEventsError("BROKER_UNAVAILABLE", message, {
    cause: cause && withoutCommand(cause),
    details: { status: connection.client.status },
  })
}

/** The error without the command ioredis puts on it, whose arguments are a message's body, or a password. */
export function withoutCommand(error: Error): Error {
  const bare = new Error(error.message)
  bare.name = error.name
  if (error.stack !== undefined) bare.stack = error.stack
  const code = (error as NodeJS.ErrnoException).code
  return code === undefined ? bare : Object.assign(bare, { code })
}
