import { ChangeEventsError } from "../errors"
import type { EventMessage } from "../events/message"
import type { EventBroker } from "./broker"
import { objectWith, type OptionCheck, text, wholeNumber } from "./parts/option-checks"
import type { RedisClient, RedisPipeline, RedisReply } from "./redis/redis-client"
import { redisAccess, type RedisReadyClient, type RedisServer } from "./redis/redis-options"
import { redisPublisher } from "./redis/redis-publisher"
import { streamCommands } from "./redis/stream-commands"

export type { RedisClient, RedisPipeline, RedisReadyClient, RedisReply, RedisServer }

export interface RedisStreamOptions {
  /**
   * The key of the stream, or a function that names one for each message. Default `change-events`. With a function the broker
   * promises less: a message may be accepted behind one of the same batch whose stream refused it (`keepsOrder` is false).
   */
  readonly stream?: string | ((message: EventMessage) => string)
  /**
   * How many entries a stream keeps, about: Redis drops the oldest when it can do so cheaply (`MAXLEN ~`). Default 1 000 000. Null
   * keeps everything, until the memory is full and Redis refuses more.
   */
  readonly maxLength?: number | null
}

export type RedisStreamBrokerOptions = (RedisServer | RedisReadyClient) & RedisStreamOptions

/**
 * Appends to a Redis stream: `XADD <stream> MAXLEN ~ <maxLength> * id … topic … key … occurred_at … content_type … headers … body …`.
 * Accepted means that Redis has the entry, as durably as its own settings make it. A repeated message is a second entry with the same
 * `id`. Reconnects by itself; while it is disconnected, publishing is rejected at once.
 *
 * @throws OPTIONS_INVALID, BROKER_CLIENT_MISSING. Its publish rejects with BROKER_UNAVAILABLE (not connected, the connection was
 * lost before the answer, out of memory, a replica), PUBLISH_TIMEOUT (no answer), PUBLISH_FAILED (Redis said no, or `stream` threw),
 * BROKER_CLOSED.
 */
export function redisStreamBroker(options: RedisStreamBrokerOptions): Required<EventBroker> {
  const access = redisAccess({ name: "redisStreamBroker", checks }, options)
  const { stream = "change-events", maxLength = 1_000_000 } = options
  const commands = streamCommands({
    streamOf: typeof stream === "string" ? () => stream : (message) => chosenStream(stream, message),
    haveOneTarget: typeof stream === "string",
    maxLength,
  })
  return redisPublisher(access, commands)
}

const checks: Readonly<Record<string, OptionCheck>> = {
  client: (value) =>
    objectWith("publish", "xadd")(value) && objectWith("publish", "xAdd")(value)
      ? "must be a client of ioredis, with xadd(), or of node-redis, with xAdd()"
      : undefined,
  stream: (value) =>
    typeof value === "function" || text(value) === undefined
      ? undefined
      : "must be a text, or a function that gives one",
  maxLength: (value) =>
    value === null || wholeNumber(1, Number.MAX_SAFE_INTEGER)(value) === undefined
      ? undefined
      : "must be a whole number from 1, or null",
}

function chosenStream(choose: (message: EventMessage) => string, message: EventMessage): string {
  try {
    const stream: unknown = choose(message)
    if (typeof stream === "string" && stream !== "") return stream
  } catch (cause) {
    throw new ChangeEventsError("PUBLISH_FAILED", "the option `stream` threw", { cause, retryable: false })
  }
  throw new ChangeEventsError("PUBLISH_FAILED", "the option `stream` gave no text", { retryable: false })
}
