import { webhookBroker } from "../../../src/brokers/webhook"
import { describeBrokerContract } from "../../contracts/broker-contract"
import { startHttpReceiver } from "../../servers/http-receiver"

describeBrokerContract(
  "webhookBroker",
  async () => {
    const receiver = await startHttpReceiver()
    const options = {
      url: `http://127.0.0.1:${receiver.port}/hook`,
      secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
      allowPrivateAddresses: true,
    }
    return {
      broker: webhookBroker(options),
      recipe: { module: "webhook", factory: "webhookBroker", options },
      received: async (count) =>
        (await receiver.received(count)).map(({ headers, body }) => ({ topic: String(headers["event-type"]), body })),
      server: { kill: () => receiver.kill(), start: () => receiver.start() },
      stop: () => receiver.kill(),
    }
  },
  { maxBodyBytes: 1_000_000, takesBatches: false, hasServer: true },
)
