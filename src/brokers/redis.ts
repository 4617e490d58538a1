import type { EventMessage } from "../events/message"
import type { EventBroker } from "./broker"
import type { RedisClient, RedisPipeline, RedisReply } from "./redis/redis-client"
import type { RedisCommands } from "./redis/redis-commands"
import { redisAccess, type RedisReadyClient, type RedisServer } from "./redis/redis-options"
import { redisPublisher } from "./redis/redis-publisher"
import { argument, commandHead } from "./redis/written-batch"

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

const HEAD = commandHead("publish", 2)

const publishing: RedisCommands<EventMessage> = {
  haveOneTarget: true,
  commandOf: (message) => message,
  add: (pipeline, { topic, body }, batch) => {
    if (batch) batch.add("publish", topic, HEAD + argument(topic) + argument(body))
    else pipeline.publish(topic, body)
  },
  send: (client, { topic, body }) => client.publish(topic, body),
}
