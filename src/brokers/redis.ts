import type { EventMessage } from "../events/message"
import type { EventBroker } from "./broker"
import { protocolText } from "./redis/command-bytes"
import { requireTexts } from "./redis/message-texts"
import type { RedisClient, RedisPipeline, RedisReply } from "./redis/redis-client"
import type { RedisCommands } from "./redis/redis-commands"
import { redisAccess, type RedisReadyClient, type RedisServer } from "./redis/redis-options"
import { redisPublisher } from "./redis/redis-publisher"

export type { RedisClient, RedisPipeline, RedisReadyClient, RedisReply, RedisServer }

export type RedisBrokerOptions = RedisServer | RedisReadyClient

/**
 * Publishes to Redis Pub/Sub: `PUBLISH <topic> <body>`. Accepted means that Redis has answered, not that anybody listens:
 * Pub/Sub keeps nothing. Reconnects by itself; while it is disconnected, publishing is rejected at once. A batch is a transaction
 * (MULTI), except through a Cluster of ioredis.
 *
 * @throws OPTIONS_INVALID, BROKER_CLIENT_MISSING. Its publish rejects with BROKER_UNAVAILABLE (not connected, or the
 * connection was lost before the answer), PUBLISH_TIMEOUT (no answer), PUBLISH_FAILED (Redis said no), BROKER_CLOSED.
 */
export function redisBroker(options: RedisBrokerOptions): Required<EventBroker> {
  return redisPublisher(redisAccess({ name: "redisBroker", checks: {} }, options), publishing)
}

const TEXTS = ["topic", "body"] as const

const HEAD = protocolText((bytes) => bytes.command("publish", 2))

const publishing: RedisCommands<EventMessage> = {
  haveOneTarget: true,
  commandOf: (message) => {
    requireTexts(message, TEXTS)
    return message
  },
  add: (pipeline, { topic, body }) => pipeline.publish(topic, body),
  write: (bytes, { topic, body }) => {
    bytes.text(HEAD)
    bytes.argument(topic)
    bytes.argument(body)
  },
  send: (client, { topic, body }) => client.publish(topic, body),
}
