import type { ConnectionOptions } from "node:tls"
import { within } from "../../runtime/within"
import { afterNextPoll } from "./after-next-poll"
import { isConnectedToItself } from "./connected-to-itself"
import { openSocket } from "./open-socket"
import type { SyslogTarget } from "./syslog-target"
import type { SyslogSocket, SyslogTransport } from "./syslog-transport"

/** A datagram socket keeps the address it has looked up; it is looked up anew after this time, in milliseconds. */
const DATAGRAM_SOCKET_AGE_MS = 60_000

/** How long the other side may take to close a connection that we have ended, in milliseconds. */
const END_TIMEOUT_MS = 500

export type SendCallback = (error?: Error | null) => void

/** Opens and drops the socket of a transport, in whose `socket` and `connected` it keeps account. */
export class TransportSocket {
  private openedAtMs = 0
  private failure: Error | undefined

  constructor(
    private readonly transport: SyslogTransport,
    private readonly target: SyslogTarget,
    private readonly tls: ConnectionOptions,
  ) {}

  /** Sees to it that there is a socket, connected or on its way. */
  open(): void {
    const isStale = Date.now() - this.openedAtMs > DATAGRAM_SOCKET_AGE_MS
    if (isStale && this.target.protocol === "udp") this.discard()
    if (this.transport.socket !== null) return
    const { socket, readyEvent } = openSocket(this.target, this.tls)
    this.transport.socket = socket
    this.openedAtMs = Date.now()
    socket.once(readyEvent, () => this.take(socket))
    socket.on("error", (error) => {
      // Before it is connected, who waits for the connection hears it.
      if (this.target.protocol === "udp" && this.transport.connected) this.failure = error
      this.lose(socket)
    })
    // `end`: the receiver will not read any more, even if it has not closed.
    for (const event of ["end", "close"]) socket.on(event, () => this.lose(socket))
  }

  /** Sends a datagram, and finds out what can be known of its fate. */
  send(data: Buffer, callback: SendCallback): void {
    const { socket } = this.transport
    // A refusal from far away comes after its message was accepted. Told at the next one, at least it is told.
    const refused = this.takeFailure()
    if (refused || !socket?.send) return callback(refused ?? new Error("not connected"))
    socket.send(data, 0, data.length, (error) => {
      if (error) callback(error)
      else afterNextPoll(() => callback(this.takeFailure()))
    })
  }

  discard(): void {
    const { socket } = this.transport
    this.transport.socket = null
    this.transport.connected = false
    if (socket?.destroy) socket.destroy()
    else socket?.close?.()
  }

  async end(): Promise<void> {
    const { socket, connected } = this.transport
    if (connected && socket?.end) {
      const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()))
      socket.end()
      await within(END_TIMEOUT_MS, closed, () => new Error("late")).catch(() => undefined)
    }
    this.discard()
  }

  private take(socket: SyslogSocket): void {
    if (this.transport.socket !== socket) return
    if (isConnectedToItself(socket)) socket.emit("error", new Error("nobody listens on the port"))
    else this.transport.connected = true
  }

  private lose(socket: SyslogSocket): void {
    if (this.transport.socket === socket) this.discard()
  }

  private takeFailure(): Error | undefined {
    const failure = this.failure
    this.failure = undefined
    return failure
  }
}
