import { ChangeEventsError } from "../../errors"
import { within } from "../../runtime/within"
import { acknowledgedWrite, whenConnected } from "./acknowledged-write"
import type { SyslogTransport } from "./syslog-transport"

export interface SyslogLink {
  /** Resolves when the socket has taken the message. @throws BROKER_UNAVAILABLE, PUBLISH_TIMEOUT */
  write(info: object, appName: string): Promise<void>
  /** Stops listening to the transport. */
  release(): void
}

export interface SyslogLinkOptions {
  readonly connectTimeoutMs: number
  readonly writeTimeoutMs: number
  /** Drops the connection after it failed; undefined for a transport that was handed in. */
  readonly discard?: () => void
}

/** Writes one message at a time through the transport, so that neither its queue nor its socket fills up. */
export function syslogLink(transport: SyslogTransport, options: SyslogLinkOptions): SyslogLink {
  let isWriting = false
  // The transport emits what goes wrong outside a write too, and an `error` without a listener ends the process.
  const ignore = (): void => undefined
  transport.on("error", ignore)

  async function connect(): Promise<void> {
    const { connectTimeoutMs } = options
    const late = (): Error => new Error(`not connected within ${connectTimeoutMs} ms`)
    await within(connectTimeoutMs, whenConnected(transport), late)
  }

  async function send(info: object, appName: string): Promise<void> {
    const { writeTimeoutMs } = options
    isWriting = true
    const written = acknowledgedWrite(transport, info, appName).finally(() => (isWriting = false))
    await within(writeTimeoutMs, written, () => timeoutError(writeTimeoutMs))
  }

  async function write(info: object, appName: string): Promise<void> {
    if (isWriting) throw unavailable(new Error("it has not taken the message before this one yet"))
    try {
      await connect()
      await send(info, appName)
    } catch (error) {
      if (options.discard) {
        options.discard()
        isWriting = false
      }
      throw error instanceof ChangeEventsError ? error : unavailable(error as Error)
    }
  }

  return { write, release: () => void transport.off("error", ignore) }
}

function unavailable(cause: Error): ChangeEventsError {
  return new ChangeEventsError("BROKER_UNAVAILABLE", `the syslog receiver is away: ${cause.message}`, { cause })
}

function timeoutError(timeoutMs: number): ChangeEventsError {
  const message = `the syslog receiver did not read the message within ${timeoutMs} ms`
  return new ChangeEventsError("PUBLISH_TIMEOUT", message, { details: { timeoutMs } })
}
