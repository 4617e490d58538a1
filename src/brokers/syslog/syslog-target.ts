import { isIPv6 } from "node:net"

/** Where the receiver is. `path` is set for `unix` only. */
export interface SyslogTarget {
  readonly protocol: "udp" | "tcp" | "tls" | "unix"
  readonly host: string
  readonly port: number
  readonly path: string
}

const DEFAULT_PORT = { udp: 514, tcp: 514, tls: 6514, unix: 0 } as const

/** Reads `udp://host:514`, `tcp://host:514`, `tls://host:6514` (these are the ports without one) or `unix:///dev/log`. */
export function syslogTarget(url: string): SyslogTarget | undefined {
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  const protocol = parsed?.protocol.slice(0, -1)
  if (parsed === undefined || !isProtocol(protocol)) return undefined
  const host = parsed.hostname.replace(/^\[(.*)\]$/, "$1")
  const path = decodeURIComponent(parsed.pathname)
  const isComplete = protocol === "unix" ? host === "" && path.length > 1 : host !== ""
  return isComplete ? { protocol, host, port: Number(parsed.port || DEFAULT_PORT[protocol]), path } : undefined
}

function isProtocol(name: string | undefined): name is SyslogTarget["protocol"] {
  return name !== undefined && Object.hasOwn(DEFAULT_PORT, name)
}

/** The name winston-syslog has for it. */
export function winstonProtocol(target: SyslogTarget): string {
  if (target.protocol === "unix") return "unix"
  return `${target.protocol}${isIPv6(target.host) ? 6 : 4}`
}
