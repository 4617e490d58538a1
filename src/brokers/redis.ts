import { ChangeEventsError } from "../errors"
import type { EventMessage } from "../events/message"
import type { EventBroker, PublishResult } from "./broker"
import { checkOptions } from "./parts/check-options"
import { closedError } from "./parts/closed-error"
import { milliseconds, objectWith, type OptionCheck } from "./parts/option-checks"
import { within } from "./parts/within"
import type { RedisClient, RedisPipeline } from "./redis/redis-client"
import {
  givenConnection,
  ownConnection,
  type RedisConnection,
  whenConnected,
  withoutCommand,
} from "./redis/redis-connection"

export type { RedisClient, RedisPipeline }

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
   * queues while it is disconnected has no bound.
   */
  readonly client: RedisClient
  readonly url?: undefined
  /** How long Redis may take to answer, in milliseconds. Default 5 000. */
  readonly commandTimeoutMs?: number
}

export type RedisBrokerOptions = RedisServer | RedisReadyClient

/**
 * Publishes to Redis Pub/Sub: `PUBLISH <topic> <body>`. Accepted means that Redis has answered, not that anybody listens:
 * Pub/Sub keeps nothing. Reconnects by itself; while it is disconnected, publishing is rejected at once.
 *
 * @throws OPTIONS_INVALID, BROKER_CLIENT_MISSING. Its publish rejects with BROKER_UNAVAILABLE (not connected, or the
 * connection was lost before the answer), PUBLISH_TIMEOUT (no answer), PUBLISH_FAILED (Redis said no), BROKER_CLOSED.
 */
export function redisBroker(options: RedisBrokerOptions): Required<EventBroker> {
  checkOptions({ factory: "redisBroker", options, checks, needsOneOf: ["url", "client"], notWithClient: serverOnly })
  const { connectTimeoutMs = 5_000, maxReconnectDelayMs = 2_000 } = options as RedisServer
  const { commandTimeoutMs = 5_000 } = options
  const connection = options.client
    ? givenConnection(options.client)
    : ownConnection({ url: options.url, connectTimeoutMs, maxReconnectDelayMs })
  let closing: Promise<void> | undefined

  async function publishBatch(messages: readonly EventMessage[]): Promise<readonly PublishResult[]> {
    if (closing) throw closedError("redisBroker")
    await whenConnected(connection, connectTimeoutMs)
    try {
      return await within(commandTimeoutMs, send(connection, messages), () => timeoutError(commandTimeoutMs))
    } catch (error) {
      // Commands nobody waits for any longer would pile up in the client, and in the socket.
      connection.reset()
      throw error
    }
  }

  return {
    async publish(message) {
      const [result] = await publishBatch([message])
      if (result && !result.accepted) throw result.error
    },
    publishBatch,
    close: () => (closing ??= connection.close()),
  }
}

const redisUrl: OptionCheck = (value) => {
  if (typeof value === "string" && (/^rediss?:\/\//.test(value) ? URL.canParse(value) : value.startsWith("/")))
    return undefined
  return "must be a redis:// or rediss:// URL, or the path of a Unix socket"
}

const checks = {
  url: redisUrl,
  client: objectWith("publish"),
  connectTimeoutMs: milliseconds,
  commandTimeoutMs: milliseconds,
  maxReconnectDelayMs: milliseconds,
}

const serverOnly = ["url", "connectTimeoutMs", "maxReconnectDelayMs"]

async function send(connection: RedisConnection, messages: readonly EventMessage[]): Promise<readonly PublishResult[]> {
  const { client } = connection
  if (client.pipeline && messages.length > 1) {
    const pipeline = client.pipeline()
    for (const { topic, body } of messages) pipeline.publish(topic, body)
    const replies = (await pipeline.exec()) ?? []
    return messages.map((_message, index) => result(replies[index]?.[0]))
  }
  const sent = messages.map(({ topic, body }) =>
    client.publish(topic, body).then(
      () => undefined,
      (error: Error) => error,
    ),
  )
  return (await Promise.all(sent)).map(result)
}

function result(error: Error | null | undefined): PublishResult {
  return error ? { accepted: false, error: publishError(error) } : { accepted: true }
}

/** Answers of a server that is there, but cannot serve just now. */
const NOT_NOW = /^(LOADING|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|BUSY|OOM)\b/

/** Redis' own answers come as a ReplyError (ErrorReply, SimpleError in node-redis); anything else is a broken connection. */
function publishError(error: Error): ChangeEventsError {
  const cause = withoutCommand(error)
  const isAnswer = /^(ReplyError|ErrorReply|SimpleError)$/.test(error.constructor.name)
  if (isAnswer && !NOT_NOW.test(error.message)) {
    return new ChangeEventsError("PUBLISH_FAILED", `Redis refused the message: ${error.message}`, { cause })
  }
  return new ChangeEventsError("BROKER_UNAVAILABLE", `Redis did not take the message: ${error.message}`, { cause })
}

function timeoutError(timeoutMs: number): ChangeEventsError {
  return new ChangeEventsError("PUBLISH_TIMEOUT", `Redis did not answer within ${timeoutMs} ms`, {
    details: { timeoutMs },
  })
}
