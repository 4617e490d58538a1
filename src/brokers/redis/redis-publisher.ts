import { asError, type ChangeEventsError } from "../../errors"
import type { EventMessage } from "../../events/message"
import type { EventBroker, PublishResult } from "../broker"
import { closedError } from "../parts/closed-error"
import { untriedError } from "../parts/untried-error"
import { within } from "../../runtime/within"
import { isLarge, messageRuns } from "./message-runs"
import { keepsOrder, redisRoute, sendAtOnce, type RedisCommands } from "./redis-commands"
import { whenConnected } from "./redis-connection"
import { isAnswer, isReplicaError, largeMessageError, publishError, timeoutError } from "./redis-errors"
import type { RedisAccess } from "./redis-options"

const ACCEPTED: PublishResult = { accepted: true }

/** What every Redis broker is, whatever command it sends. */
export function redisPublisher<Command>(access: RedisAccess, commands: RedisCommands<Command>): Required<EventBroker> {
  const { broker, connection, connectTimeoutMs } = access
  let closing: Promise<void> | undefined

  async function publishBatch(messages: readonly EventMessage[]): Promise<readonly PublishResult[]> {
    if (closing) throw closedError(broker)
    await whenConnected(connection, connectTimeoutMs)
    const errors = await new RedisBatch(access, commands).send(messages)
    // Commands nobody waits for any longer would pile up in the client, and in the socket.
    if (errors.some((error) => error?.code === "PUBLISH_TIMEOUT" || (error && isReplicaError(error))))
      connection.reset()
    return errors.map((error) => (error ? { accepted: false, error } : ACCEPTED))
  }

  return {
    async publish(message) {
      const [result] = await publishBatch([message])
      if (result && !result.accepted) throw result.error
    },
    publishBatch,
    keepsOrder: keepsOrder(redisRoute(connection.client, commands), commands),
    close: () => (closing ??= connection.close()),
  }
}

/** Undefined for a message that was accepted. */
type Outcome = ChangeEventsError | undefined

/**
 * One batch on its way. It goes in runs, each a transaction: all of its messages, or none. When Redis refuses a whole run, its messages
 * go one at a time up to the one that is refused, so that one bad message does not hold up those before it forever.
 */
class RedisBatch<Command> {
  private readonly startedAt = performance.now()

  constructor(
    private readonly access: RedisAccess,
    private readonly commands: RedisCommands<Command>,
  ) {}

  async send(messages: readonly EventMessage[]): Promise<readonly Outcome[]> {
    const prepared = this.prepare(messages)
    const outcomes: Outcome[] = []
    for (const { from, to } of messageRuns(messages.slice(0, prepared.list.length))) {
      if (this.mustStop(outcomes)) break
      outcomes.push(...(await this.sendRun(messages.slice(from, to), prepared.list.slice(from, to))))
    }
    if (prepared.fault && !this.mustStop(outcomes)) outcomes.push(prepared.fault)
    const untried = messages.slice(outcomes.length).map(() => untriedError(this.access.broker))
    return [...outcomes, ...untried]
  }

  /** The commands up to the first message there is none for. */
  private prepare(messages: readonly EventMessage[]): { readonly list: readonly Command[]; readonly fault?: Outcome } {
    const list: Command[] = []
    try {
      for (const message of messages) list.push(this.commands.commandOf(message))
      return { list }
    } catch (fault) {
      return { list, fault: fault as ChangeEventsError }
    }
  }

  private async sendRun(messages: readonly EventMessage[], list: readonly Command[]): Promise<readonly Outcome[]> {
    const { client } = this.access.connection
    const isAlone = list.length === 1 || redisRoute(client, this.commands) === "one at a time"
    if (isAlone) return this.sendOneByOne(messages, list)
    try {
      const errors = await this.answered(sendAtOnce(this.access.connection, this.commands, list))
      return errors.map((error) => error && publishError(error))
    } catch (thrown) {
      const error = asError(thrown)
      if (isAnswer(error)) return this.sendOneByOne(messages, list)
      return list.map(() => publishError(error))
    }
  }

  private async sendOneByOne(messages: readonly EventMessage[], list: readonly Command[]): Promise<readonly Outcome[]> {
    const outcomes: Outcome[] = []
    for (const [index, command] of list.entries()) {
      if (this.mustStop(outcomes)) break
      const { body } = messages[index] as EventMessage
      const outcome = this.answered(this.commands.send(this.access.connection.client, command)).then(
        () => undefined,
        (error: Error) => (isLarge(body) ? largeMessageError(error, Buffer.byteLength(body)) : publishError(error)),
      )
      outcomes.push(await outcome)
    }
    return outcomes
  }

  /** After a refusal, and when half of the time is over: whoever waits for the batch must get to know what was accepted of it. */
  private mustStop(outcomes: readonly Outcome[]): boolean {
    if (outcomes.length === 0) return false
    return outcomes.at(-1) !== undefined || performance.now() - this.startedAt > this.access.commandTimeoutMs / 2
  }

  private answered<T>(answer: Promise<T>): Promise<T> {
    const { commandTimeoutMs } = this.access
    return within(commandTimeoutMs, answer, () => timeoutError(commandTimeoutMs))
  }
}
