import { redisBroker } from "../../../src/brokers/redis"
import { describeBrokerContract } from "../../contracts/broker-contract"
import { startRedisServer } from "../../servers/redis-server"
import { subscribeToRedis } from "./redis-subscriber"

describeBrokerContract(
  "redisBroker",
  async () => {
    const server = await startRedisServer()
    const subscriber = await subscribeToRedis(server.url, "*")
    return {
      broker: redisBroker({ url: server.url }),
      recipe: { module: "redis", factory: "redisBroker", options: { url: server.url } },
      received: (count) => subscriber.received(count),
      server: {
        kill: () => server.kill(),
        async start() {
          await server.start()
          await subscriber.subscribedAgain()
        },
      },
      async stop() {
        subscriber.stop()
        await server.remove()
      },
    }
  },
  { maxBodyBytes: 100_000, takesBatches: true, hasServer: true },
)
