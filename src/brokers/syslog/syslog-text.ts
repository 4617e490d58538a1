import type { EventMessage } from "../../events/message"
import { facilityCodes, severityCodes, type SyslogFacility, type SyslogLevel } from "./syslog-names"

export interface SyslogTextOptions {
  readonly format: "rfc5424" | "rfc3164"
  readonly level: SyslogLevel
  readonly facility: SyslogFacility
  /** Undefined leaves it out of RFC 3164, as a local socket expects. */
  readonly hostname: string | undefined
  readonly appName: string
  readonly enterpriseNumber: number
}

/** RFC 5424, 6.2.5. */
const MAX_APP_NAME_LENGTH = 48
/** RFC 5424, 6.2.7. */
const MAX_MESSAGE_ID_LENGTH = 32
/** RFC 5424, 6.2.4. */
const MAX_HOSTNAME_LENGTH = 255

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

/**
 * Everything that stands before the body.
 *
 * Written here and not by glossy, the producer of winston-syslog: that one labels UTC with the local time zone, writes 5
 * milliseconds as `.05`, and has no place for the message id.
 */
export function syslogHeader(message: EventMessage, options: SyslogTextOptions): string {
  const priority = facilityCodes[options.facility] * 8 + severityCodes[options.level]
  return options.format === "rfc5424"
    ? `<${priority}>1 ${rfc5424Header(message, options)} `
    : `<${priority}>${rfc3164Header(message, options)} `
}

/**
 * `<appName>.<topic>` as an APP-NAME of RFC 5424: at most 48 characters, each printable ASCII. What is longer loses its end, so
 * that receivers can select by the beginning; what is not ASCII becomes `?`. The whole topic is in the structured data.
 */
export function syslogAppName(appName: string, topic: string): string {
  return printable(loggerName(appName, topic)).slice(0, MAX_APP_NAME_LENGTH)
}

function rfc5424Header(message: EventMessage, options: SyslogTextOptions): string {
  const messageId = printable(message.topic)
  return [
    message.occurredAt.toISOString(),
    printable(options.hostname ?? "-").slice(0, MAX_HOSTNAME_LENGTH),
    syslogAppName(options.appName, message.topic),
    process.pid,
    // Half a topic would be the name of another one.
    messageId.length <= MAX_MESSAGE_ID_LENGTH ? messageId : "-",
    structuredData(message, options.enterpriseNumber),
  ].join(" ")
}

function structuredData(message: EventMessage, enterpriseNumber: number): string {
  const parameters = { id: message.id, topic: message.topic, key: message.key }
  const pairs = Object.entries(parameters).map(([name, value]) => `${name}="${parameterValue(value)}"`)
  return `[event@${enterpriseNumber} ${pairs.join(" ")}]`
}

/** RFC 5424, 6.3.3: three characters are escaped. A control character has no escape, and would break a frame. */
function parameterValue(value: string): string {
  return withoutControls(value).replace(/["\\\]]/g, "\\$&")
}

function rfc3164Header(message: EventMessage, options: SyslogTextOptions): string {
  const at = message.occurredAt
  const two = (value: number): string => String(value).padStart(2, "0")
  const date = `${MONTHS[at.getMonth()]} ${String(at.getDate()).padStart(2, " ")}`
  const time = `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`
  const host = options.hostname === undefined ? "" : `${printable(options.hostname)} `
  // A tag has no structured data beside it, so it is not cut to the 32 characters of RFC 3164.
  return `${date} ${time} ${host}${printable(loggerName(options.appName, message.topic))}[${process.pid}]:`
}

function loggerName(appName: string, topic: string): string {
  return appName === "" ? topic : `${appName}.${topic}`
}

function printable(value: string): string {
  return value.replace(/[^\x21-\x7e]/g, "?") || "-"
}

function withoutControls(value: string): string {
  return value.replace(/[\x00-\x1f\x7f]/g, "?")
}
