import { CommandBytes } from "./command-bytes"
import type { OwnRedisClient } from "./redis-client"

/**
 * Sends so many commands as one transaction, in one write. Gives what EXEC answered: for each command its reply, or the Error that it
 * ended with.
 *
 * @throws the first refusal, of a transaction that was not carried out; what ioredis says of a connection that is lost.
 */
export type WriteTransaction = (
  commandCount: number,
  write: (bytes: CommandBytes) => void,
) => Promise<readonly unknown[]>

/** What ioredis expects an answer for. */
interface AwaitedCommand {
  readonly promise: Promise<unknown>
  resolve(reply: unknown): unknown
  reject(error: Error): void
  toWritable(): Buffer | string
}

/** What the module ioredis has beside its clients. */
export interface IoRedisCommands {
  readonly Command?: new (name: string, args: readonly string[], options: object) => AwaitedCommand
}

/** More than a batch of messages of a usual size. A larger buffer is not kept. */
const MAX_KEPT_BYTES = 4 * 1024 * 1024

/** Takes what ioredis would send for a command whose bytes are sent already. */
const SENT_ALREADY = { write: () => true }

/**
 * For the most that a batch costs is ioredis' work on each of its commands: a text of each, put together from its arguments, an object,
 * three promises (measured: 3.5 times the processor time, and twice what the collector has to look through). Here one command carries
 * the bytes of all, and takes all of their answers. Undefined where ioredis has no such commands.
 */
export function transactionWriter(
  { Command }: IoRedisCommands,
  client: Pick<OwnRedisClient, "sendCommand" | "status">,
): WriteTransaction | undefined {
  if (typeof (Command?.prototype as AwaitedCommand | undefined)?.toWritable !== "function") return undefined
  let spare: CommandBytes | undefined
  return async (commandCount, write) => {
    if (client.status !== "ready") throw new Error("the client is not ready")
    const bytes = spare ?? new CommandBytes()
    spare = undefined
    writeTransaction(bytes, write)
    const command = new (Command as NonNullable<typeof Command>)("exec", [], {})
    command.toWritable = () => bytes.written()
    void client.sendCommand(command)
    // Only now: what watches ioredis may have wrapped the two functions, and would do so again with each that follows.
    takeAnswers(command, commandCount + 2)
    for (let sent = 1; sent < commandCount + 2; sent++) void client.sendCommand(command, SENT_ALREADY)
    const replies = await command.promise
    if (!Array.isArray(replies) || replies.length !== commandCount) throw new Error("the transaction was not answered")
    // Whoever answered everything has everything: nothing of it is on its way any longer.
    if (bytes.size <= MAX_KEPT_BYTES) spare = bytes
    return replies
  }
}

function writeTransaction(bytes: CommandBytes, write: (bytes: CommandBytes) => void): void {
  bytes.clear()
  bytes.command("multi", 0)
  write(bytes)
  bytes.command("exec", 0)
}

/** The last answer is EXEC's. Where that is a refusal, the first one says why. None comes before the command is sent for the last time. */
function takeAnswers(command: AwaitedCommand, count: number): void {
  const { resolve, reject } = command
  let missing = count
  let refusal: Error | undefined
  const resolved = (reply: unknown): void => {
    if (--missing === 0) resolve.call(command, reply)
  }
  const rejected = (error: Error): void => {
    refusal ??= error
    if (--missing === 0) reject.call(command, refusal)
  }
  const keep = (): void => undefined
  Object.defineProperty(command, "resolve", { get: () => resolved, set: keep })
  Object.defineProperty(command, "reject", { get: () => rejected, set: keep })
}
