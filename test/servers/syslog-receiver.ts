import { createSocket, type Socket as DatagramSocket } from "node:dgram"
import { EventEmitter, on } from "node:events"
import { createServer, type AddressInfo, type Server, type Socket } from "node:net"
import { createServer as createTlsServer, type TlsOptions } from "node:tls"

export interface SyslogReceiverOptions {
  readonly protocol: "tcp" | "udp" | "tls"
  readonly tls?: TlsOptions
  /** Over TCP. Default `octet-counting`. */
  readonly framing?: "octet-counting" | "newline"
  /** What it does with a connection. `ignore` accepts it and never reads. Default `read`. */
  readonly behaviour?: "read" | "ignore"
}

export interface SyslogReceiver {
  readonly port: number
  /** The messages as they came, without their frame, in the order they came in. */
  readonly messages: readonly string[]
  /** Resolves when so many messages have come. */
  received(count: number): Promise<readonly string[]>
  /** Destroys the connection that delivers the next data, in the middle of what it delivers. */
  resetNext(): void
  /** Listens on the same port again after `stop`. */
  start(): Promise<void>
  /** Ends all connections, and frees the port. */
  stop(): Promise<void>
}

/** A syslog receiver within this process, which checks the frames to the byte. */
export async function startSyslogReceiver(options: SyslogReceiverOptions): Promise<SyslogReceiver> {
  const inbox = new Inbox()
  const listen = (port: number): Promise<Listening> =>
    options.protocol === "udp" ? listenForDatagrams(port, inbox) : listenForStreams(port, inbox, options)
  let listening = await listen(0)
  const { port } = listening
  return {
    port,
    messages: inbox.messages,
    received: (count) => inbox.received(count),
    resetNext: () => void (inbox.resetsNext = true),
    start: async () => void (listening = await listen(port)),
    stop: () => listening.stop(),
  }
}

interface Listening {
  readonly port: number
  stop(): Promise<void>
}

class Inbox {
  readonly messages: string[] = []
  resetsNext = false
  private readonly arrivals = new EventEmitter()

  add(message: string): void {
    this.messages.push(message)
    this.arrivals.emit("message")
  }

  async received(count: number): Promise<readonly string[]> {
    if (this.messages.length >= count) return this.messages
    for await (const _ of on(this.arrivals, "message")) if (this.messages.length >= count) break
    return this.messages
  }
}

async function listenForDatagrams(port: number, inbox: Inbox): Promise<Listening> {
  // 500 messages in a row are more than the usual buffer holds while this process is the one that sends them.
  const socket: DatagramSocket = createSocket({ type: "udp4", recvBufferSize: 4 * 1024 * 1024 })
  socket.on("message", (data) => inbox.add(data.toString()))
  await new Promise<void>((resolve) => socket.bind(port, "127.0.0.1", resolve))
  return { port: socket.address().port, stop: () => new Promise((resolve) => socket.close(resolve)) }
}

async function listenForStreams(port: number, inbox: Inbox, options: SyslogReceiverOptions): Promise<Listening> {
  const connections = new Set<Socket>()
  const accept = (connection: Socket): void => {
    connections.add(connection)
    connection.on("error", () => undefined).on("close", () => connections.delete(connection))
    if (options.behaviour !== "ignore") readFrames(connection, inbox, options.framing ?? "octet-counting")
  }
  const server: Server = options.protocol === "tls" ? createTlsServer(options.tls ?? {}, accept) : createServer(accept)
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve))
  return {
    port: (server.address() as AddressInfo).port,
    async stop() {
      const closed = new Promise((resolve) => server.close(resolve))
      for (const connection of connections) connection.destroy()
      await closed
    },
  }
}

function readFrames(connection: Socket, inbox: Inbox, framing: "octet-counting" | "newline"): void {
  const take = framing === "newline" ? takeLine : takeCounted
  let rest: Buffer = Buffer.alloc(0)
  connection.on("data", (data: Buffer) => {
    if (inbox.resetsNext) {
      inbox.resetsNext = false
      connection.resetAndDestroy()
      return
    }
    rest = Buffer.concat([rest, data])
    for (let frame = take(rest); frame; frame = take(rest)) {
      inbox.add(frame.message.toString())
      rest = frame.rest
    }
  })
}

interface Frame {
  readonly message: Buffer
  readonly rest: Buffer
}

function takeLine(data: Buffer): Frame | undefined {
  const end = data.indexOf("\n")
  return end < 0 ? undefined : { message: data.subarray(0, end), rest: data.subarray(end + 1) }
}

/** RFC 6587, 3.4.1. */
function takeCounted(data: Buffer): Frame | undefined {
  const space = data.indexOf(" ")
  if (space < 0) return undefined
  const end = space + 1 + Number(data.subarray(0, space).toString())
  return data.length < end ? undefined : { message: data.subarray(space + 1, end), rest: data.subarray(end) }
}
