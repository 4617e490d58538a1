import type { EventMessage } from "../../events/message"
import type { CommandBytes } from "./command-bytes"
import type { RedisClient, RedisPipeline } from "./redis-client"
import type { RedisConnection } from "./redis-connection"
import type { WriteTransaction } from "./written-transaction"

/** How a broker's messages become commands of Redis. */
export interface RedisCommands<Command> {
  /**
   * Whether all messages go to the same place, so that either all of a transaction's commands are carried out or none. Commands for
   * several keys can fail one by one, after the others.
   */
  readonly haveOneTarget: boolean
  /** @throws ChangeEventsError for a message that no command can be made of. */
  commandOf(message: EventMessage): Command
  add(pipeline: RedisPipeline, command: Command): void
  /** The same, as the protocol has it. */
  write(bytes: CommandBytes, command: Command): void
  send(client: RedisClient, command: Command): Promise<unknown>
}

/** How the messages of a batch go to the server. */
export type RedisRoute = "transaction" | "pipeline" | "one at a time"

/**
 * A transaction wherever one is possible. In a cluster there is none over several nodes, and ioredis repeats the commands of a
 * pipeline that were sent to the wrong one; keys on several nodes do not even go into a pipeline.
 */
export function redisRoute(client: RedisClient, commands: RedisCommands<unknown>): RedisRoute {
  if (!client.pipeline || !client.multi || (client.isCluster && !commands.haveOneTarget)) return "one at a time"
  return client.isCluster ? "pipeline" : "transaction"
}

export function keepsOrder(route: RedisRoute, commands: RedisCommands<unknown>): boolean {
  if (route === "transaction") return commands.haveOneTarget
  return route === "one at a time"
}

/**
 * One error for each command, undefined for what was carried out. In a transaction a command that the server does not even queue makes
 * it discard all of them.
 *
 * @throws the reason why none was carried out.
 */
export function sendAtOnce<Command>(
  { client, writeTransaction }: Pick<RedisConnection, "client" | "writeTransaction">,
  commands: RedisCommands<Command>,
  list: readonly Command[],
): Promise<readonly (Error | undefined)[]> {
  return writeTransaction ? sendWritten(writeTransaction, commands, list) : sendPiped(client, commands, list)
}

async function sendWritten<Command>(
  writeTransaction: WriteTransaction,
  commands: RedisCommands<Command>,
  list: readonly Command[],
): Promise<readonly (Error | undefined)[]> {
  const replies = await writeTransaction(list.length, (bytes) => {
    for (const command of list) commands.write(bytes, command)
  })
  return replies.map((reply) => (reply instanceof Error ? reply : undefined))
}

async function sendPiped<Command>(
  client: RedisClient,
  commands: RedisCommands<Command>,
  list: readonly Command[],
): Promise<readonly (Error | undefined)[]> {
  const isTransaction = redisRoute(client, commands) === "transaction"
  const pipeline = (isTransaction ? client.multi?.() : client.pipeline?.()) as RedisPipeline
  for (const command of list) commands.add(pipeline, command)
  const replies = (await pipeline.exec().catch(rethrowReason)) ?? []
  return list.map((_command, index) => {
    const [error] = replies[index] ?? [new Error("the command was not answered")]
    return error ?? undefined
  })
}

/** EXEC says that something was refused before, and only what was refused says why. */
function rethrowReason(error: Error & { readonly previousErrors?: readonly Error[] }): never {
  throw error.previousErrors?.[0] ?? error
}
