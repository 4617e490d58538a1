import { syslogBroker } from "../../../src/brokers/syslog"
import type { SyslogServer } from "../../../src/brokers/syslog"
import { describeBrokerContract, type BrokerUnderTest, type ReceivedMessage } from "../../contracts/broker-contract"
import { startRsyslog } from "../../servers/rsyslog"
import { parseParameters, parseSyslogMessage } from "../../servers/syslog-message"
import { startSyslogReceiver } from "../../servers/syslog-receiver"

const tcp = { maxBodyBytes: 100_000, takesBatches: false, hasServer: true }
const udp = { maxBodyBytes: 60_000, takesBatches: false, hasServer: true }

describeBrokerContract("syslogBroker over TCP", () => withReceiver("tcp"), tcp)
describeBrokerContract("syslogBroker over TCP, framed by line", () => withReceiver("tcp", { framing: "newline" }), tcp)
describeBrokerContract("syslogBroker over UDP", () => withReceiver("udp", { maxMessageBytes: 65_000 }), udp)
describeBrokerContract("syslogBroker to rsyslog over TCP", () => withRsyslog("tcp"), tcp)
describeBrokerContract("syslogBroker to rsyslog over UDP", () => withRsyslog("udp", { maxMessageBytes: 65_000 }), udp)

async function withReceiver(protocol: "tcp" | "udp", options: SyslogServer = {}): Promise<BrokerUnderTest> {
  const receiver = await startSyslogReceiver({ protocol, framing: options.framing })
  return {
    ...brokerFor(`${protocol}://127.0.0.1:${receiver.port}`, options),
    received: async (count) => (await receiver.received(count)).map(receivedMessage),
    server: { kill: () => receiver.stop(), start: () => receiver.start() },
    stop: () => receiver.stop().catch(() => undefined),
  }
}

async function withRsyslog(protocol: "tcp" | "udp", options: SyslogServer = {}): Promise<BrokerUnderTest> {
  const rsyslog = await startRsyslog()
  return {
    ...brokerFor(`${protocol}://127.0.0.1:${rsyslog.port}`, options),
    async received(count) {
      const records = await rsyslog.received(count)
      return records.map(({ structuredData, body }) => ({
        topic: parseParameters(structuredData)["topic"] ?? "",
        body,
      }))
    },
    server: { kill: () => rsyslog.kill(), start: () => rsyslog.start() },
    stop: () => rsyslog.remove(),
  }
}

function brokerFor(url: string, options: SyslogServer): Pick<BrokerUnderTest, "broker" | "recipe"> {
  const all = { maxMessageBytes: 262_144, ...options, url }
  return { broker: syslogBroker(all), recipe: { module: "syslog", factory: "syslogBroker", options: all } }
}

function receivedMessage(text: string): ReceivedMessage {
  const { parameters, body } = parseSyslogMessage(text)
  return { topic: parameters["topic"] ?? "", body }
}
