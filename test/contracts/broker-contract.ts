import { spawn } from "node:child_process"
import { once } from "node:events"
import { resolve } from "node:path"
import { setTimeout as pause } from "node:timers/promises"
import type { EventBroker } from "../../src/brokers/broker"
import type { EventMessage } from "../../src/events/message"
import { eventMessage } from "./event-message"

/** What a consumer of the broker sees of a message. */
export interface ReceivedMessage {
  readonly topic: string
  readonly body: string
}

/** How another process makes the same broker. */
export interface BrokerRecipe {
  /** The file in src/brokers, such as `redis`. */
  readonly module: string
  readonly factory: string
  readonly options: object
}

/** A broker with a consumer, and the server between them. */
export interface BrokerUnderTest {
  readonly broker: EventBroker
  readonly recipe: BrokerRecipe
  /** Resolves when so many messages have come, with all of them in the order they came in. */
  received(count: number): Promise<readonly ReceivedMessage[]>
  /** The server, for brokers that have one. A consumer hears what comes after `start` too. */
  readonly server?: { kill(): Promise<void>; start(): Promise<void> }
  stop(): Promise<void>
}

/** What a broker can do. A test that does not apply is not run, and is not listed. */
export interface BrokerCapabilities {
  /** The largest body it takes, in bytes. */
  readonly maxBodyBytes: number
  /** Whether it has `publishBatch`. */
  readonly takesBatches: boolean
  /** Whether there is a server that can go away: then publishing rejects meanwhile, and works again after its restart. */
  readonly hasServer: boolean
}

type Start = () => Promise<BrokerUnderTest>

/** No broker takes longer to close, whatever state its server is in, in milliseconds. */
const CLOSE_BOUND_MS = 2_500

const bodies: Readonly<Record<string, string>> = {
  "an object": `{"a":1,"b":[true,null,"c"]}`,
  "quotes and backslashes": JSON.stringify({ a: `"quoted" 'single' \\ back ] [ # % $` }),
  "text of many scripts": JSON.stringify({ a: "zażółć ГДЕ 東京 עברית العربية नमस्ते" }),
  emoji: JSON.stringify({ a: "🙂👩‍👩‍👧🇺🇳" }),
  "escaped control characters": JSON.stringify({ a: "tab\tline\nreturn\r\u0000\u001b[31m" }),
  "numbers no double holds": `{"id":123456789012345678901234567890,"price":1.10}`,
  "an empty object": `{}`,
}

/** Everything every broker promises, tested at a real server. */
export function describeBrokerContract(name: string, start: Start, capabilities: BrokerCapabilities): void {
  describe(`${name} as a broker`, () => {
    let subject: BrokerUnderTest

    beforeEach(async () => {
      subject = await start()
    })

    afterEach(async () => {
      await subject.broker.close?.()
      await subject.stop()
    })

    describePublishing(() => subject, capabilities)
    if (capabilities.takesBatches) describeBatches(() => subject)
    describeClosing(() => subject)
    if (capabilities.hasServer) describeAbsence(() => subject)
  })
}

function describePublishing(subject: () => BrokerUnderTest, capabilities: BrokerCapabilities): void {
  it.each(Object.entries(bodies))("carries %s to the byte", async (_name, body) => {
    await subject().broker.publish(eventMessage({ body }))

    const [message] = await subject().received(1)
    expect(message).toEqual({ topic: "nautobot.update.dcim.device", body })
  })

  it(`carries a body of ${capabilities.maxBodyBytes} bytes`, async () => {
    const body = JSON.stringify({ a: "é".repeat((capabilities.maxBodyBytes - 8) / 2) })

    await subject().broker.publish(eventMessage({ body }))

    const [message] = await subject().received(1)
    expect(Buffer.byteLength(body)).toBe(capabilities.maxBodyBytes)
    expect(message?.body === body).toBe(true)
  })

  it("keeps the order of 500 messages", async () => {
    const sent = numberedMessages(500)

    for (const message of sent) await subject().broker.publish(message)

    const received = await subject().received(sent.length)
    expect(received.map(({ body }) => body)).toEqual(sent.map(({ body }) => body))
  })
}

function describeBatches(subject: () => BrokerUnderTest): void {
  it("answers for each message of a batch, and keeps their order", async () => {
    const { broker, received } = subject()
    const sent = numberedMessages(50)

    const results = await broker.publishBatch?.(sent)

    expect(results).toEqual(sent.map(() => ({ accepted: true })))
    expect((await received(50)).map(({ body }) => body)).toEqual(sent.map(({ body }) => body))
  })
}

function describeClosing(subject: () => BrokerUnderTest): void {
  it("rejects what is published after it was closed", async () => {
    const { broker } = subject()
    await broker.publish(eventMessage())

    await broker.close?.()

    await expect(broker.publish(eventMessage())).rejects.toMatchObject({ code: "BROKER_CLOSED" })
    if (broker.publishBatch) {
      await expect(broker.publishBatch([eventMessage()])).rejects.toMatchObject({ code: "BROKER_CLOSED" })
    }
  })

  it("can be closed twice, and before anything was published", async () => {
    const { broker } = subject()

    await broker.close?.()

    await expect(broker.close?.()).resolves.toBeUndefined()
  })

  it("leaves nothing behind that keeps a process alive", async () => {
    const output = await publishAndCloseElsewhere(subject().recipe)

    expect(output).toContain("closed")
  })
}

function describeAbsence(subject: () => BrokerUnderTest): void {
  it("closes in time while its server is away", async () => {
    const { broker, server } = subject()
    await broker.publish(eventMessage())
    await server?.kill()

    const startedAt = performance.now()
    await broker.close?.()

    expect(performance.now() - startedAt).toBeLessThan(CLOSE_BOUND_MS)
  })

  it("publishes again after its server was killed and started", async () => {
    const { broker, server, received } = subject()
    await broker.publish(eventMessage({ body: `{"n":1}` }))
    await received(1)
    await server?.kill()
    await expect(broker.publish(eventMessage())).rejects.toMatchObject({ code: "BROKER_UNAVAILABLE" })
    await server?.start()

    await publishUntilAccepted(broker, eventMessage({ body: `{"n":2}` }))

    expect((await received(2)).at(-1)?.body).toBe(`{"n":2}`)
  })
}

function numberedMessages(count: number): EventMessage[] {
  return Array.from({ length: count }, (_, n) => eventMessage({ id: `event-${n}`, body: `{"n":${n}}` }))
}

/** As delivery does: a broker that reconnects needs a moment, and says so by rejecting. */
export async function publishUntilAccepted(broker: EventBroker, message: EventMessage): Promise<void> {
  for (let attempt = 1; attempt < 200; attempt++) {
    const error = await broker.publish(message).then(
      () => undefined,
      (thrown: unknown) => thrown,
    )
    if (error === undefined) return
    await pause(25)
  }
  await broker.publish(message)
}

/** What a process prints that publishes one message, closes its broker and then has nothing more to do. */
async function publishAndCloseElsewhere({ module, factory, options }: BrokerRecipe): Promise<string> {
  const code = `
    const broker = require(${JSON.stringify(resolve(__dirname, "../../src/brokers", `${module}.ts`))})[${JSON.stringify(factory)}](${JSON.stringify(options)})
    const message = ${JSON.stringify(eventMessage())}
    message.occurredAt = new Date(message.occurredAt)
    broker.publish(message).then(() => broker.close()).then(() => console.log("closed"))
  `
  const child = spawn(process.execPath, ["--import", "tsx", "-e", code], { timeout: 20_000 })
  let output = ""
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (data: Buffer) => (output += String(data)))
  const [exitCode, signal] = (await once(child, "exit")) as [number | null, string | null]
  if (exitCode !== 0) throw new Error(`the process did not end by itself (${exitCode ?? signal}): ${output}`)
  return output
}
