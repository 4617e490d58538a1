import type { EventBroker } from "../../../src/brokers/broker"
import { redisBroker } from "../../../src/brokers/redis"
import { redisStreamBroker } from "../../../src/brokers/redis-stream"
import type { EventMessage } from "../../../src/events/message"
import { eventMessage } from "../../contracts/event-message"
import { startRedisServer, type RedisServer } from "../../servers/redis-server"

let server: RedisServer
let broker: Required<EventBroker>

beforeAll(async () => void (server = await startRedisServer()))
afterAll(() => server.remove())
afterEach(() => broker.close())

/** What a format of the user's may give. */
const without = (field: keyof EventMessage): EventMessage =>
  ({ ...eventMessage(), [field]: undefined }) as unknown as EventMessage

const untried = { accepted: false, error: expect.objectContaining({ details: { isUntried: true } }) as Error }

const refused = (message: string) => ({
  accepted: false,
  error: expect.objectContaining({
    code: "PUBLISH_FAILED",
    retryable: false,
    message: expect.stringContaining(message) as string,
  }) as Error,
})

async function judgesAlone(bad: EventMessage, message: string): Promise<void> {
  expect(await broker.publishBatch([eventMessage(), bad, eventMessage()])).toEqual([
    { accepted: true },
    refused(message),
    untried,
  ])
  await expect(broker.publish(bad)).rejects.toMatchObject({ code: "PUBLISH_FAILED", retryable: false })
}

it.each(["topic", "body"] as const)("redisBroker judges a message without a text `%s` alone", async (field) => {
  broker = redisBroker({ url: server.url })
  await judgesAlone(without(field), `no text \`${field}\``)
})

it.each(["id", "topic", "key", "contentType", "body"] as const)(
  "redisStreamBroker judges a message without a text `%s` alone",
  async (field) => {
    broker = redisStreamBroker({ url: server.url })
    await judgesAlone(without(field), `no text \`${field}\``)
  },
)

it.each(["headers", "occurredAt"] as const)("redisStreamBroker judges a message without `%s` alone", async (field) => {
  broker = redisStreamBroker({ url: server.url })
  await judgesAlone(without(field), "no entry can be made")
})
