import { fitMessage } from "./fit-message"
import { singleLine } from "./frame"
import { syslogLink } from "./syslog-link"
import type { SyslogReadyClient } from "./syslog-options"
import {
  LEVEL,
  MAX_DATAGRAM_MESSAGE_BYTES,
  MAX_STREAM_MESSAGE_BYTES,
  MESSAGE,
  type SyslogSender,
} from "./syslog-sender"
import { syslogAppName } from "./syslog-text"
import type { SyslogTransport } from "./syslog-transport"

/** The transport writes the header itself; this is the room it is given. */
const HEADER = " ".repeat(256)

/** Sends through a transport that was handed in, and leaves it open. */
export function givenSender(options: SyslogReadyClient): SyslogSender {
  const transport = options.client as SyslogTransport
  const isStream = transport.protocolType === "tcp" || transport.protocolType === "tls"
  const { connectTimeoutMs = 5_000, writeTimeoutMs = 5_000, oversize = "reject" } = options
  const { level = "info", appName = "events" } = options
  const { maxMessageBytes = isStream ? MAX_STREAM_MESSAGE_BYTES : MAX_DATAGRAM_MESSAGE_BYTES } = options
  const link = syslogLink(transport, { connectTimeoutMs, writeTimeoutMs })

  return {
    async send(message) {
      const body = fitMessage(HEADER, message.body, maxMessageBytes, oversize).slice(HEADER.length)
      const info = { [LEVEL]: level, [MESSAGE]: isStream ? singleLine(body) : body }
      await link.write(info, syslogAppName(appName, message.topic))
    },
    async close() {
      link.release()
    },
  }
}
