import { memoryBroker } from "../../../src/brokers/memory"
import { describeBrokerContract } from "../../contracts/broker-contract"

describeBrokerContract(
  "memoryBroker",
  async () => {
    const broker = memoryBroker()
    return {
      broker,
      recipe: { module: "memory", factory: "memoryBroker", options: {} },
      received: async () => broker.messages.map(({ topic, body }) => ({ topic, body })),
      stop: async () => undefined,
    }
  },
  { maxBodyBytes: 100_000, takesBatches: true, hasServer: false },
)
