import { Socket } from "node:net"

/** Kills this process with SIGKILL as soon as it has handed a socket something that has one of the texts in it, and `isDue` says so. */
export function killAtWrite(texts: readonly string[], isDue: () => boolean): void {
  const write = Socket.prototype.write as (...args: unknown[]) => boolean
  Socket.prototype.write = function (this: Socket, ...args: unknown[]): boolean {
    const [bytes] = args
    const isIt = Buffer.isBuffer(bytes) && texts.some((text) => bytes.includes(text)) && isDue()
    // Several parts may be held back to leave together, within this turn.
    if (isIt) setImmediate(() => process.kill(process.pid, "SIGKILL"))
    return write.apply(this, args)
  } as never
}
