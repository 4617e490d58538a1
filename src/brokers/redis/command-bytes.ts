const LEAST_BYTES = 64 * 1024

/** A native call costs more than so many steps of a loop. */
const MAX_LOOPED = 64

/** Commands as the protocol of Redis has them, one behind the other in one buffer, without a text in between. */
export class CommandBytes {
  private buffer = Buffer.allocUnsafe(LEAST_BYTES)
  private length = 0

  /** Starts anew. What `written` gave before is overwritten. */
  clear(): void {
    this.length = 0
  }

  /** Which command, and how many arguments follow, this one's name not counted. */
  command(name: string, argumentCount: number): void {
    this.text(`*${argumentCount + 1}\r\n`)
    this.argument(name)
  }

  argument(text: string): void {
    const bytes = Buffer.byteLength(text)
    this.text(`$${bytes}\r\n`)
    this.text(text, bytes)
    this.text("\r\n")
  }

  /** Already as the protocol has it, as `protocolText` gives it. */
  text(text: string, bytes = text.length): void {
    this.reserve(bytes)
    if (bytes === text.length && bytes <= MAX_LOOPED) this.loop(text)
    else this.length += this.buffer.write(text, this.length)
  }

  written(): Buffer {
    return this.buffer.subarray(0, this.length)
  }

  /** What it has room for, in bytes. */
  get size(): number {
    return this.buffer.length
  }

  private loop(text: string): void {
    for (let at = 0; at < text.length; at++) this.buffer[this.length++] = text.charCodeAt(at)
  }

  private reserve(bytes: number): void {
    const needed = this.length + bytes
    if (needed <= this.buffer.length) return
    const larger = Buffer.allocUnsafe(Math.max(needed, this.buffer.length * 2))
    this.buffer.copy(larger, 0, 0, this.length)
    this.buffer = larger
  }
}

/** What is the same in every command, put together once for `CommandBytes.text`. */
export function protocolText(write: (bytes: CommandBytes) => void): string {
  const bytes = new CommandBytes()
  write(bytes)
  return bytes.written().toString()
}
