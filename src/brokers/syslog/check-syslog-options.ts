import { checkOptions } from "../parts/check-options"
import { milliseconds, objectWith, oneOf, text, wholeNumber, type OptionCheck } from "../parts/option-checks"
import { facilityCodes, severityCodes } from "./syslog-names"
import type { SyslogBrokerOptions } from "./syslog-options"
import { syslogTarget } from "./syslog-target"
import type { SyslogTransport } from "./syslog-transport"

/** The most bytes a datagram over UDP and IPv4 can have: 65 535 less the headers of both. */
export const MAX_DATAGRAM_BYTES = 65_507

/** The smallest size every receiver must take: RFC 5424, 6.1. */
const MIN_MESSAGE_BYTES = 480

const MAX_MESSAGE_BYTES = 16 * 1024 * 1024

/** @throws OPTIONS_INVALID naming all faults. */
export function checkSyslogOptions(options: SyslogBrokerOptions): void {
  const checks = {
    ...commonChecks,
    ...serverChecks,
    maxMessageBytes: wholeNumber(MIN_MESSAGE_BYTES, sizeLimit(options)),
  }
  checkOptions({ factory: "syslogBroker", options, checks, notWithClient: Object.keys(serverChecks) })
}

const url: OptionCheck = (value) =>
  typeof value === "string" && syslogTarget(value)
    ? undefined
    : "must be udp://host:port, tcp://host:port, tls://host:port or unix:///path"

const client: OptionCheck = (value) => {
  const fault = objectWith("log", "connect", "on", "off")(value)
  if (fault !== undefined) return "must be a Syslog transport of winston-syslog"
  const { protocolType, endOfLine } = value as SyslogTransport
  const isStream = protocolType === "tcp" || protocolType === "tls"
  return isStream && !endOfLine ? "needs an `eol`: without one its messages run into one another" : undefined
}

const commonChecks = {
  client,
  level: oneOf(Object.keys(severityCodes)),
  appName: (value: unknown) => (typeof value === "string" ? undefined : "must be a text"),
  oversize: oneOf(["reject", "truncate"]),
  connectTimeoutMs: milliseconds,
  writeTimeoutMs: milliseconds,
}

const serverChecks = {
  url,
  facility: oneOf(Object.keys(facilityCodes)),
  hostname: text,
  format: oneOf(["rfc5424", "rfc3164"]),
  framing: oneOf(["octet-counting", "newline"]),
  enterpriseNumber: wholeNumber(0, 2 ** 32 - 1),
  tls: objectWith(),
}

function sizeLimit(options: SyslogBrokerOptions): number {
  const given: unknown = (options as SyslogBrokerOptions | undefined)?.url ?? "udp://localhost"
  const isDatagram = typeof given === "string" && given.startsWith("udp:")
  return isDatagram && options?.client === undefined ? MAX_DATAGRAM_BYTES : MAX_MESSAGE_BYTES
}
