import type { ConnectionOptions } from "node:tls"
import type { Oversize } from "./fit-message"
import type { SyslogFacility, SyslogLevel } from "./syslog-names"

/** What holds however the messages get to the receiver. */
export interface SyslogCommonOptions {
  /** The severity of every message. Default `info`. */
  readonly level?: SyslogLevel
  /**
   * What stands before the topic in the APP-NAME: `<appName>.<topic>`, cut to the 48 characters of RFC 5424. Default `events`;
   * `""` for the topic alone. The first seed's logger is `nautobot.events`.
   */
  readonly appName?: string
  /**
   * The most bytes of one message, header and UTF-8 included. Default 8 192 over UDP and Unix sockets, 65 536 over TCP and TLS;
   * at most 65 507 over UDP. Do not set it above what the receiver takes: it would cut the message without a word (rsyslog: 8 KiB
   * unless `maxMessageSize` is set, syslog-ng: 64 KiB).
   */
  readonly maxMessageBytes?: number
  /** `reject` with MESSAGE_TOO_LARGE, or `truncate` the body and say so at its end, which breaks JSON. Default `reject`. */
  readonly oversize?: Oversize
  /** How long a publish waits for the connection, in milliseconds. Default 5 000. */
  readonly connectTimeoutMs?: number
  /** How long the receiver may take to read the message, in milliseconds. Default 5 000. Then the connection is made anew. */
  readonly writeTimeoutMs?: number
}

export interface SyslogServer extends SyslogCommonOptions {
  /** `udp://host:514`, `tcp://host:514`, `tls://host:6514` or `unix:///dev/log`. Default `udp://localhost:514`. */
  readonly url?: string
  readonly client?: undefined
  /** Default `local0`. */
  readonly facility?: SyslogFacility
  /** The host the messages say they come from. Default the name of this one; left out on a Unix socket. */
  readonly hostname?: string
  /** Default `rfc5424`; on a Unix socket `rfc3164`, since local receivers read nothing else there. */
  readonly format?: "rfc5424" | "rfc3164"
  /**
   * How a message ends over TCP and TLS. `octet-counting` (RFC 6587, RFC 5425): its length stands before it. `newline`: for
   * receivers that read lines; a body with a line break is rejected then. Default `octet-counting`.
   */
  readonly framing?: "octet-counting" | "newline"
  /**
   * The private enterprise number in the structured data `[event@<number> id="…" topic="…" key="…"]` of RFC 5424. Default
   * 32473, the one reserved for examples.
   */
  readonly enterpriseNumber?: number
  /** For tls://: `ca`, `cert`, `key`, … as in Node. The receiver's certificate is checked unless `rejectUnauthorized` is false. */
  readonly tls?: ConnectionOptions
}

export interface SyslogReadyClient extends SyslogCommonOptions {
  /**
   * A `Syslog` transport of winston-syslog, which stays open at `close()`. Its own options decide on format, facility and
   * host; over TCP it needs `eol`. It reconnects in its own time.
   */
  readonly client: object
  readonly url?: undefined
}

export type SyslogBrokerOptions = SyslogServer | SyslogReadyClient
