import { redisStreamBroker } from "../../../src/brokers/redis-stream"
import { describeBrokerContract } from "../../contracts/broker-contract"
import { startRedisServer } from "../../servers/redis-server"
import { readRedisStream } from "./redis-stream-reader"

describeBrokerContract(
  "redisStreamBroker",
  async () => {
    const server = await startRedisServer()
    const reader = readRedisStream(server.url, "change-events")
    return {
      broker: redisStreamBroker({ url: server.url }),
      recipe: { module: "redis-stream", factory: "redisStreamBroker", options: { url: server.url } },
      received: async (count) => (await reader.received(count)).map(({ topic = "", body = "" }) => ({ topic, body })),
      server: { kill: () => server.kill(), start: () => server.start() },
      async stop() {
        reader.stop()
        await server.remove()
      },
    }
  },
  { maxBodyBytes: 100_000, takesBatches: true, hasServer: true },
)
