import { createSocket } from "node:dgram"
import { connect, isIPv6, type Socket } from "node:net"
import { connect as connectTls, type ConnectionOptions } from "node:tls"
import type { SyslogSocket } from "./syslog-transport"
import type { SyslogTarget } from "./syslog-target"

export interface OpenedSocket {
  readonly socket: SyslogSocket
  /** Emitted when the socket can be written to. */
  readonly readyEvent: "connect" | "secureConnect"
}

/** A socket on its way to the receiver, for all but `unix`. */
export function openSocket(target: SyslogTarget, tls: ConnectionOptions): OpenedSocket {
  const { host, port } = target
  if (target.protocol === "udp") return { socket: openDatagram(host, port), readyEvent: "connect" }
  if (target.protocol === "tcp") return { socket: keptAlive(connect({ host, port })), readyEvent: "connect" }
  // winston-syslog writes as soon as TCP is connected and accepts every certificate: measured, a self-signed one of another
  // host passed. This one checks the certificate unless `rejectUnauthorized` is false.
  const servername = isIPv6(host) || /^[\d.]+$/.test(host) ? undefined : host
  return { socket: keptAlive(connectTls({ servername, ...tls, host, port })), readyEvent: "secureConnect" }
}

/** A connected datagram socket hears it when the receiver's host says that nobody listens on the port. */
function openDatagram(host: string, port: number): SyslogSocket {
  const socket = createSocket(isIPv6(host) ? "udp6" : "udp4")
  socket.connect(port, host)
  return socket
}

function keptAlive<T extends Socket>(socket: T): T {
  socket.setKeepAlive(true, 30_000)
  socket.setNoDelay(true)
  // Syslog has no answers. Read and dropped, they do not hide the end of the connection behind them.
  socket.resume()
  return socket
}
