import type { ConnectionOptions } from "node:tls"
import { peerPackage } from "../parts/peer-package"
import { winstonProtocol, type SyslogTarget } from "./syslog-target"
import type { SyslogTransport, SyslogTransportClass } from "./syslog-transport"
import { TransportSocket, type SendCallback } from "./transport-socket"

/** A transport that can be told to let go of its socket. */
export interface OwnSyslogTransport extends SyslogTransport {
  /** Lets go of the socket, whatever is in it. The next publish opens a new one. */
  discard(): void
  /** Lets the receiver read what it was sent, for half a second at most, then lets go of the socket. */
  end(): Promise<void>
}

/**
 * The transport of winston-syslog with sockets of our own. Its log, its acknowledgement and its Unix sockets stay; its other
 * sockets do not, because winston-syslog reconnects for ever (also after `close()`, in pauses that double without bound), hides
 * why a connection failed, accepts every TLS certificate, and has no error listener on a datagram socket.
 */
export function ownTransport(
  Syslog: SyslogTransportClass,
  target: SyslogTarget,
  tls: ConnectionOptions = {},
): OwnSyslogTransport {
  class OwnTransport extends Syslog implements OwnSyslogTransport {
    private readonly sockets = new TransportSocket(this, target, tls)

    override connect(callback: (error: unknown) => void): void {
      if (target.protocol !== "unix") this.sockets.open()
      else if (this.socket === null) this.openUnixSocket()
      callback(this.connected || target.protocol === "unix" ? null : true)
    }

    /** unix-dgram is an optional dependency of winston-syslog, which loads it here. */
    private openUnixSocket(): void {
      peerPackage("unix-dgram", "syslogBroker on a Unix socket", () => super.connect(() => undefined))
    }

    discard(): void {
      this.sockets.discard()
    }

    end(): Promise<void> {
      return this.sockets.end()
    }

    override close(): void {
      this.sockets.discard()
    }

    /** The size is limited to one datagram, so the part is the whole. winston-syslog's own fails on a connected socket. */
    _sendChunk(data: Buffer, _part: object, callback: SendCallback): void {
      this.sockets.send(data, callback)
    }
  }

  return new OwnTransport({ ...target, protocol: winstonProtocol(target), customProducer: Verbatim })
}

/** The text comes complete: there is nothing left to produce. */
class Verbatim {
  produce({ message }: { readonly message: string }): string {
    return message
  }
}
