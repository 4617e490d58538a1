import { syslogBroker } from "../../../src/brokers/syslog"
import { eventMessage } from "../../contracts/event-message"
import { freePort } from "../../../fixtures/postgres/free-port"
import { parseSyslogMessage } from "../../servers/syslog-message"
import { startSyslogReceiver, type SyslogReceiver } from "../../servers/syslog-receiver"
import { thrownBy } from "./thrown-by"
import { Syslog } from "./winston-syslog"

const endings: (() => unknown)[] = []

afterEach(async () => {
  for (const end of endings.splice(0)) await end()
})

function clientFor(options: object): Syslog {
  const client = new Syslog(options)
  endings.push(() => endClient(client))
  return client
}

describe("a transport of winston-syslog that is handed in", () => {
  it.each(["tcp4", "udp4"] as const)("publishes through it over %s, and leaves it open", async (protocol) => {
    const receiver = await startSyslogReceiver({ protocol: protocol === "tcp4" ? "tcp" : "udp", framing: "newline" })
    endings.push(() => receiver.stop())
    const client = clientFor({ host: "127.0.0.1", port: receiver.port, protocol, type: "5424", eol: eolOf(protocol) })
    const broker = syslogBroker({ client, level: "warning", appName: "nautobot.events" })

    await broker.publish(eventMessage())
    await broker.publish(eventMessage({ body: `{"ü":2}` }))
    await broker.close()

    expect(await bodies(receiver, 2)).toEqual([`{"id":1}`, `{"ü":2}`])
    expect(parseSyslogMessage(receiver.messages[0] ?? "")).toMatchObject({
      severity: 4,
      appName: "nautobot.events.nautobot.update.dcim.device",
    })
    expect(client.socket).not.toBeNull()
  })

  it("rejects while its receiver is away, and puts nothing into its queue", async () => {
    const client = clientFor({ host: "127.0.0.1", port: await freePort(), protocol: "tcp4", eol: "\n" })
    const broker = syslogBroker({ client })

    for (let n = 0; n < 3; n++) {
      expect(await thrownBy(broker.publish(eventMessage()))).toMatchObject({ code: "BROKER_UNAVAILABLE" })
    }

    expect(client.queue).toHaveLength(0)
  })

  it("is refused over TCP without an end of line", () => {
    const client = clientFor({ protocol: "tcp4" })

    expect(() => syslogBroker({ client })).toThrow(/`client` needs an `eol`/)
  })
})

function eolOf(protocol: "tcp4" | "udp4"): string | undefined {
  return protocol === "tcp4" ? "\n" : undefined
}

async function bodies(receiver: SyslogReceiver, count: number): Promise<string[]> {
  return (await receiver.received(count)).map((text) => parseSyslogMessage(text).body)
}

/** Its own `close()` connects again, for ever. */
function endClient(client: Syslog): void {
  client.socket?.removeAllListeners("close")
  client.close()
}
