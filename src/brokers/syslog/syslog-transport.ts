/**
 * What is used of the transport of winston-syslog 2.7, which ships no types. `log` gives the message to the socket and emits
 * `logged` with it when the socket has taken it, before that `error` when it has not.
 */
export interface SyslogTransport {
  appName: string
  /** `BSD` or `5424`. */
  readonly type: string
  /** What ends a message; without it messages over TCP run into one another. */
  readonly endOfLine?: string
  readonly protocolType: "udp" | "tcp" | "tls" | "unix"
  /** Whether the socket is connected, or for UDP bound. Never true for `unix`. */
  connected: boolean
  /** What could not be sent. It has no bound, so nothing of ours may stay in it. */
  readonly queue: unknown[]
  socket: SyslogSocket | null
  log(info: object, callback: () => void): void
  /** Opens the socket if there is none. Calls back at once, mostly before it is connected. */
  connect(callback: (error: unknown) => void): void
  close(): void
  on(event: "error", listener: (error: Error) => void): unknown
  on(event: "logged", listener: (info?: object) => void): unknown
  off(event: "error", listener: (error: Error) => void): unknown
  off(event: "logged", listener: (info?: object) => void): unknown
}

/** What a stream, a datagram socket and a socket of unix-dgram have in common. */
export interface SyslogSocket {
  /** A stream's; undefined for the others. */
  readonly connecting?: boolean
  readonly destroyed?: boolean
  on(event: string, listener: (error?: Error) => void): unknown
  once(event: string, listener: (error?: Error) => void): unknown
  off(event: string, listener: (error?: Error) => void): unknown
  emit(event: string, error: Error): unknown
  send?(data: Buffer, offset: number, length: number, callback: (error: Error | null) => void): void
  end?(): void
  destroy?(): void
  close?(): void
}

export type SyslogTransportClass = new (options: object) => SyslogTransport
