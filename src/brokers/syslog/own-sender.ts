import { constants, hostname } from "node:os"
import { peerPackage } from "../parts/peer-package"
import { fitMessage, tooLarge } from "./fit-message"
import { framed } from "./frame"
import { ownTransport } from "./own-transport"
import { syslogLink } from "./syslog-link"
import type { SyslogServer } from "./syslog-options"
import {
  LEVEL,
  MAX_DATAGRAM_MESSAGE_BYTES,
  MAX_STREAM_MESSAGE_BYTES,
  MESSAGE,
  type SyslogSender,
} from "./syslog-sender"
import { syslogTarget, type SyslogTarget } from "./syslog-target"
import { syslogHeader, type SyslogTextOptions } from "./syslog-text"
import type { SyslogTransportClass } from "./syslog-transport"

/** Sends through a transport of our own, which connects at the first message. */
export function ownSender(options: SyslogServer): SyslogSender {
  const target = syslogTarget(options.url ?? "udp://localhost:514") as SyslogTarget
  const isStream = target.protocol === "tcp" || target.protocol === "tls"
  const { connectTimeoutMs = 5_000, writeTimeoutMs = 5_000, framing = "octet-counting", oversize = "reject" } = options
  const { maxMessageBytes = isStream ? MAX_STREAM_MESSAGE_BYTES : MAX_DATAGRAM_MESSAGE_BYTES } = options
  const header = headerOptions(options, target)
  const transport = ownTransport(loadSyslog(), target, options.tls)
  const link = syslogLink(transport, { connectTimeoutMs, writeTimeoutMs, discard: () => transport.discard() })

  return {
    async send(message) {
      const text = fitMessage(syslogHeader(message, header), message.body, maxMessageBytes, oversize)
      const info = { [LEVEL]: header.level, [MESSAGE]: isStream ? framed(text, framing) : text }
      await link.write(info, header.appName).catch((error: Error) => {
        throw isTooLarge(error.cause) ? tooLarge(Buffer.byteLength(text), maxMessageBytes, error) : error
      })
    },
    async close() {
      await transport.end()
      link.release()
    },
  }
}

function headerOptions(options: SyslogServer, target: SyslogTarget): SyslogTextOptions {
  const isLocal = target.protocol === "unix"
  return {
    format: options.format ?? (isLocal ? "rfc3164" : "rfc5424"),
    level: options.level ?? "info",
    facility: options.facility ?? "local0",
    hostname: options.hostname ?? (isLocal ? undefined : hostname()),
    appName: options.appName ?? "events",
    enterpriseNumber: options.enterpriseNumber ?? 32_473,
  }
}

function loadSyslog(): SyslogTransportClass {
  /* eslint-disable @typescript-eslint/no-require-imports -- optional peers, wanted only when a broker is made */
  peerPackage("winston", "syslogBroker", () => require("winston"))
  const loaded = peerPackage("winston-syslog", "syslogBroker", () => require("winston-syslog"))
  /* eslint-enable @typescript-eslint/no-require-imports */
  return (loaded as { readonly Syslog: SyslogTransportClass }).Syslog
}

/** Whether the system itself found the datagram too large; unix-dgram gives the negative number for a code. */
function isTooLarge(cause: unknown): boolean {
  const code = (cause as { readonly code?: unknown } | undefined)?.code
  return code === "EMSGSIZE" || code === -constants.errno.EMSGSIZE
}
