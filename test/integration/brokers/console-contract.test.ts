import { createWriteStream } from "node:fs"
import { mkdtemp, readFile, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { consoleBroker } from "../../../src/brokers/console"
import { describeBrokerContract, type ReceivedMessage } from "../../contracts/broker-contract"

describeBrokerContract(
  "consoleBroker into a file",
  async () => {
    const folder = await mkdtemp(join(tmpdir(), "console-"))
    const file = join(folder, "events")
    const stream = createWriteStream(file)
    return {
      broker: consoleBroker({ stream }),
      recipe: { module: "console", factory: "consoleBroker", options: {} },
      received: async () => (await readFile(file, "utf8")).split("\n").slice(0, -1).map(receivedMessage),
      async stop() {
        await new Promise((resolve) => stream.end(resolve))
        await rm(folder, { recursive: true })
      },
    }
  },
  { maxBodyBytes: 100_000, takesBatches: false, hasServer: false },
)

/** `{"topic":"…",…}`: the members of the body follow the topic, to the byte. */
function receivedMessage(line: string): ReceivedMessage {
  const topic = (JSON.parse(line) as { topic: string }).topic
  const rest = line.slice(`{"topic":${JSON.stringify(topic)}`.length)
  return { topic, body: `{${rest.replace(/^,/, "")}` }
}
