import { createSocket } from "node:dgram"
import { connect } from "node:net"
import { hostname } from "node:os"
import vectors from "../../../fixtures/vectors/brokers.json"
import { syslogBroker, type SyslogServer } from "../../../src/brokers/syslog"
import * as sockets from "../../../src/brokers/syslog/open-socket"
import type { SyslogSocket } from "../../../src/brokers/syslog/syslog-transport"
import { publishUntilAccepted } from "../../contracts/broker-contract"
import { eventMessage } from "../../contracts/event-message"
import { selfSignedCertificate } from "../../servers/certificate"
import { freePort } from "../../../fixtures/postgres/free-port"
import { startRsyslog } from "../../servers/rsyslog"
import { parseSyslogMessage } from "../../servers/syslog-message"
import { startSyslogReceiver, type SyslogReceiverOptions } from "../../servers/syslog-receiver"
import { thrownBy } from "./thrown-by"
import { usedMemoryBytes } from "./used-memory"

const endings: (() => unknown)[] = []

/** Ends it after the test, the last one first. */
function ending(end: () => unknown): void {
  endings.unshift(end)
}

afterEach(async () => {
  for (const end of endings.splice(0)) await end()
})

async function startReceiver(options: SyslogReceiverOptions = { protocol: "tcp" }) {
  const receiver = await startSyslogReceiver(options)
  ending(() => receiver.stop().catch(() => undefined))
  return receiver
}

function brokerAt(url: string, options: SyslogServer = {}) {
  const broker = syslogBroker({ url, ...options })
  ending(() => broker.close())
  return broker
}

describe("the vector of the first seed", () => {
  it("nb-syslog-1: level, logger name and payload arrive, the payload as one line", async () => {
    const vector = vectors.find(({ id }) => id === "nb-syslog-1")
    const input = vector?.input as { topic: string; payload: object }
    const expected = vector?.expected as { level: string; logger: string; text: string }
    const receiver = await startReceiver()
    const broker = brokerAt(`tcp://127.0.0.1:${receiver.port}`, { level: "warning", appName: "nautobot.events" })

    await broker.publish(eventMessage({ topic: input.topic, body: JSON.stringify(input.payload) }))

    const message = parseSyslogMessage((await receiver.received(1))[0] ?? "")
    expect(message).toMatchObject({ severity: 4, appName: expected.logger })
    expect(JSON.parse(message.body)).toEqual(JSON.parse(expected.text))
    expect(message.body).not.toContain("\n")
  })
})

describe("a message of RFC 5424", () => {
  it("says when, where, from whom and about what", async () => {
    const receiver = await startReceiver()
    const broker = brokerAt(`tcp://127.0.0.1:${receiver.port}`, { facility: "authpriv", level: "notice" })

    await broker.publish(eventMessage({ key: `a"]\\ü` }))

    expect(parseSyslogMessage((await receiver.received(1))[0] ?? "")).toEqual({
      facility: 10,
      severity: 5,
      timestamp: "2026-01-02T03:04:05.006Z",
      hostname: hostname(),
      appName: "events.nautobot.update.dcim.device",
      processId: String(process.pid),
      messageId: "nautobot.update.dcim.device",
      parameters: { id: eventMessage().id, topic: "nautobot.update.dcim.device", key: `a"]\\ü` },
      body: `{"id":1}`,
    })
  })

  it("is understood by rsyslog", async () => {
    const rsyslog = await startRsyslog()
    ending(() => rsyslog.remove())

    await brokerAt(`tcp://127.0.0.1:${rsyslog.port}`, { level: "err" }).publish(eventMessage())

    expect((await rsyslog.received(1))[0]).toMatchObject({
      appName: "events.nautobot.update.dcim.device",
      messageId: "nautobot.update.dcim.device",
      hostname: hostname(),
      severity: "err",
      facility: "local0",
      body: `{"id":1}`,
    })
  })
})

describe("a Unix socket", () => {
  it("takes the format that local receivers read", async () => {
    const rsyslog = await startRsyslog()
    ending(() => rsyslog.remove())

    await brokerAt(`unix://${rsyslog.socketPath}`, { level: "warning" }).publish(eventMessage())

    const [record] = await rsyslog.received(1)
    expect(record).toMatchObject({ appName: "events.nautobot.update.dcim.device", severity: "warning" })
    expect(record?.body.trim()).toBe(`{"id":1}`)
  })

  it("rejects while nobody has the socket, and what is too large for the system", async () => {
    const rsyslog = await startRsyslog()
    ending(() => rsyslog.remove())
    const broker = brokerAt(`unix://${rsyslog.socketPath}`, { maxMessageBytes: 4_000_000 })

    const tooLarge = await thrownBy(broker.publish(eventMessage({ body: "x".repeat(3_000_000) })))
    await rsyslog.kill()
    const away = await thrownBy(broker.publish(eventMessage()))

    expect(tooLarge).toMatchObject({ code: "MESSAGE_TOO_LARGE", retryable: false })
    expect(away).toMatchObject({ code: "BROKER_UNAVAILABLE", retryable: true })
  })
})

describe("a receiver that is away", () => {
  it.each(["tcp", "udp"])("rejects each publish over %s, and keeps nothing in memory", async (protocol) => {
    const broker = brokerAt(`${protocol}://127.0.0.1:${await freePort()}`, { maxMessageBytes: 65_000 })
    const body = "x".repeat(60_000)
    await thrownBy(broker.publish(eventMessage({ body })))
    const before = usedMemoryBytes()

    for (let n = 0; n < 300; n++) {
      expect(await thrownBy(broker.publish(eventMessage({ body: body + n })))).toMatchObject({
        code: "BROKER_UNAVAILABLE",
      })
    }

    expect(usedMemoryBytes() - before).toBeLessThan(5 * 1024 * 1024)
  })

  it("is found again at the next publish", async () => {
    const receiver = await startReceiver()
    await receiver.stop()
    const broker = brokerAt(`tcp://127.0.0.1:${receiver.port}`)
    await thrownBy(broker.publish(eventMessage()))

    await receiver.start()
    await broker.publish(eventMessage())

    expect(await receiver.received(1)).toHaveLength(1)
  })

  it("rejects in time when its address does not resolve", async () => {
    for (const protocol of ["tcp", "udp"]) {
      const broker = brokerAt(`${protocol}://no-such-host.invalid`, { connectTimeoutMs: 1_000 })
      await expect(broker.publish(eventMessage())).rejects.toMatchObject({ code: "BROKER_UNAVAILABLE" })
    }
  })
})

/** Gives it the local port that the system picks about once in 28,000 times, where the receiver's is one of those it picks from. */
function socketFromItsOwnPort(protocol: string, port: number): SyslogSocket {
  const host = "127.0.0.1"
  if (protocol === "tcp") return connect({ host, port, localAddress: host, localPort: port })
  const socket = createSocket("udp4")
  socket.bind(port, host, () => socket.connect(port, host))
  return socket
}

describe("a socket that is connected to itself, as on this machine nobody listened on the port", () => {
  it.each(["tcp", "udp"])("is no receiver over %s", async (protocol) => {
    const port = await freePort()
    jest
      .spyOn(sockets, "openSocket")
      .mockReturnValueOnce({ socket: socketFromItsOwnPort(protocol, port), readyEvent: "connect" })
    const broker = brokerAt(`${protocol}://127.0.0.1:${port}`)

    const error = await thrownBy(broker.publish(eventMessage()))
    const next = await thrownBy(broker.publish(eventMessage()))

    expect(error).toMatchObject({ code: "BROKER_UNAVAILABLE", cause: { message: "nobody listens on the port" } })
    expect(next).toMatchObject({ code: "BROKER_UNAVAILABLE", cause: { code: "ECONNREFUSED" } })
  })
})

describe("a receiver that misbehaves", () => {
  it("times out when it never reads, and keeps no more than one message in memory", async () => {
    const receiver = await startReceiver({ protocol: "tcp", behaviour: "ignore" })
    const url = `tcp://127.0.0.1:${receiver.port}`
    const broker = brokerAt(url, { maxMessageBytes: 16_000_000, writeTimeoutMs: 20 })
    const body = "x".repeat(8_000_000)
    await thrownBy(broker.publish(eventMessage({ body })))
    const before = usedMemoryBytes()

    for (let n = 0; n < 20; n++) {
      expect(await thrownBy(broker.publish(eventMessage({ body })))).toMatchObject({ code: "PUBLISH_TIMEOUT" })
    }

    expect(usedMemoryBytes() - before).toBeLessThan(20_000_000)
  })

  it("rejects what was under way at a reset, and delivers what follows", async () => {
    const receiver = await startReceiver()
    const broker = brokerAt(`tcp://127.0.0.1:${receiver.port}`, { maxMessageBytes: 16_000_000 })
    await broker.publish(eventMessage({ body: "first" }))
    receiver.resetNext()

    const error = await thrownBy(broker.publish(eventMessage({ body: "x".repeat(8_000_000) })))
    await publishUntilAccepted(broker, eventMessage({ body: "last" }))

    expect(error.code).toBe("BROKER_UNAVAILABLE")
    expect((await receiver.received(2)).map((text) => parseSyslogMessage(text).body)).toEqual(["first", "last"])
  })
})

describe("a message that is too large", () => {
  it("is rejected for good, and nothing of it is sent", async () => {
    const receiver = await startReceiver({ protocol: "udp" })
    const broker = brokerAt(`udp://127.0.0.1:${receiver.port}`)

    const error = await thrownBy(broker.publish(eventMessage({ body: "x".repeat(8_192) })))
    await broker.publish(eventMessage())

    expect(error).toMatchObject({ code: "MESSAGE_TOO_LARGE", retryable: false, details: { maxBytes: 8_192 } })
    expect(await receiver.received(1)).toHaveLength(1)
  })

  it("goes through whole at the limit of UDP", async () => {
    const receiver = await startReceiver({ protocol: "udp" })
    const broker = brokerAt(`udp://127.0.0.1:${receiver.port}`, { maxMessageBytes: 65_507, oversize: "truncate" })

    await broker.publish(eventMessage({ body: "x".repeat(70_000) }))

    expect((await receiver.received(1))[0]).toHaveLength(65_507 - Buffer.byteLength("…") + 1)
  })

  it("is cut between two characters when that is asked for, and says so", async () => {
    const receiver = await startReceiver({ protocol: "udp" })
    const broker = brokerAt(`udp://127.0.0.1:${receiver.port}`, { oversize: "truncate", maxMessageBytes: 1_000 })

    await broker.publish(eventMessage({ body: "é🙂".repeat(1_000) }))

    const text = (await receiver.received(1))[0] ?? ""
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(1_000)
    expect(text).not.toContain("\ufffd")
    expect(text).toMatch(/🙂?é?…\[truncated, the whole message has \d+ bytes\]$/)
  })
})

it("rejects a body with a line break when the receiver reads lines", async () => {
  const receiver = await startReceiver({ protocol: "tcp", framing: "newline" })
  const broker = brokerAt(`tcp://127.0.0.1:${receiver.port}`, { framing: "newline" })

  const error = await thrownBy(broker.publish(eventMessage({ body: "two\nlines" })))

  expect(error).toMatchObject({ code: "PUBLISH_FAILED", retryable: false })
})

describe("TLS", () => {
  it("delivers to a receiver whose certificate it knows, and to no other", async () => {
    const certificate = await selfSignedCertificate("127.0.0.1")
    const receiver = await startReceiver({ protocol: "tls", tls: certificate })
    const url = `tls://127.0.0.1:${receiver.port}`

    const error = await thrownBy(brokerAt(url).publish(eventMessage()))
    await brokerAt(url, { tls: { ca: certificate.cert } }).publish(eventMessage())

    expect(error).toMatchObject({ code: "BROKER_UNAVAILABLE", cause: { code: "DEPTH_ZERO_SELF_SIGNED_CERT" } })
    expect(await receiver.received(1)).toHaveLength(1)
  })
})
