import { asError } from "../../errors"
import { afterNextPoll } from "./after-next-poll"
import type { SyslogSocket, SyslogTransport } from "./syslog-transport"

const OPENING_EVENTS = ["connect", "secureConnect", "listening"]
const FAILING_EVENTS = ["error", "close"]

/** Resolves when the transport can write. @throws an Error when its attempt to connect failed, or none is under way. */
export async function whenConnected(transport: SyslogTransport): Promise<void> {
  transport.connect(() => undefined)
  // A Unix socket has no connection: each datagram goes to the path.
  if (transport.connected || transport.protocolType === "unix") return
  const { socket } = transport
  // winston-syslog pauses between two attempts; to wait for the end of the pause is the caller's decision.
  if (socket === null || socket.connecting === false) throw new Error("not connected")
  await untilConnected(transport, socket)
}

function untilConnected(transport: SyslogTransport, socket: SyslogSocket): Promise<void> {
  return new Promise((resolve, reject) => {
    // The transport listens too, and before us, so its `connected` is up to date.
    const opened = (): void => {
      if (transport.connected) settle(resolve)
    }
    const failed = (error?: unknown): void => settle(() => reject(typeof error === "object" ? error : connectionLost()))
    const settle = (then: () => void): void => {
      for (const event of OPENING_EVENTS) socket.off(event, opened)
      for (const event of FAILING_EVENTS) socket.off(event, failed)
      then()
    }
    for (const event of OPENING_EVENTS) socket.on(event, opened)
    for (const event of FAILING_EVENTS) socket.on(event, failed)
  })
}

/**
 * Resolves when the socket has taken the message. `log` calls back before it writes, so that is of no use; what tells is
 * `logged`, which is emitted with the message after the write, and just after `error` when the write failed.
 * `appName` holds for this message only: `log` reads it before it returns.
 */
export function acknowledgedWrite(transport: SyslogTransport, info: object, appName: string): Promise<void> {
  const { socket } = transport
  return new Promise((resolve, reject) => {
    let failure: Error | undefined
    const onError = (error: Error): void => void (failure = error)
    const onLogged = (logged?: object): void => {
      if (logged !== info) return void (failure = undefined)
      stop()
      if (failure === undefined) return afterNextPoll(() => (isLost(socket) ? reject(connectionLost()) : resolve()))
      // The transport has queued it to send it one day; here who called decides whether it is sent again.
      transport.queue.pop()
      reject(failure)
    }
    const stop = (): void => {
      transport.off("error", onError)
      transport.off("logged", onLogged)
    }
    transport.on("error", onError)
    transport.on("logged", onLogged)
    const usualAppName = transport.appName
    try {
      transport.appName = appName
      transport.log(info, () => undefined)
    } catch (thrown) {
      stop()
      reject(asError(thrown))
    } finally {
      transport.appName = usualAppName
    }
  })
}

/**
 * Whether a stream has ended meanwhile. The receiver may then have read the message or not; sent again it comes twice at worst,
 * not sent again it may be lost. Node also answers a write that was under way on a destroyed stream with success.
 */
function isLost(socket: SyslogSocket | null): boolean {
  return socket?.destroyed === true
}

function connectionLost(): Error {
  return new Error("connection lost")
}
