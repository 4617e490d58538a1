import type { SqlStatement } from "../events/transactional-sink"
import { isServersWord } from "../runtime/servers-word"
import { statusOf, type DriverConnection, type DriverResult } from "./driver-connection"
import { canQueryBehind } from "./prefixed-query"
import type { TransactionLog } from "./transaction-log"
import type { TriggerContext } from "./trigger-context"
import type { Turns } from "./turns"

/** As TypeORM begins a transaction. What somebody else writes is sent as it comes. */
const TEXT = "START TRANSACTION"

/** As it goes in front of a statement. */
export const START: SqlStatement = { name: "change_events_start", text: TEXT, values: [] }

export interface StartingConnection {
  readonly connection: DriverConnection
  readonly bareQuery: DriverConnection["query"]
  readonly log: TransactionLog
  readonly turns: Turns
  readonly triggers: TriggerContext | undefined
}

/**
 * A START TRANSACTION of one connection that is answered before it is sent, and then goes in one write with the statement behind it: one round
 * trip less, which pays for the change log (docs/decisions/0006). It waits for no longer than this turn of the event loop, in which the first
 * statement of a save() comes.
 */
export class HeldStart {
  private waiting: NodeJS.Immediate | undefined
  private failure: { readonly error: unknown } | undefined

  constructor(private readonly own: StartingConnection) {}

  get isHeld(): boolean {
    return this.waiting !== undefined
  }

  /** Whether the call begins a transaction, and may be answered now. */
  mayHold([text, ...more]: readonly unknown[]): boolean {
    const { connection, log } = this.own
    if (text !== TEXT || log.isOpen || more.some((argument) => argument !== undefined)) return false
    const status = statusOf(connection)
    return (status === undefined || status === "I") && canQueryBehind(connection)
  }

  /** Gives what the driver would. */
  hold(): Promise<DriverResult> {
    const { log, triggers } = this.own
    this.waiting = setImmediate(() => this.send())
    triggers?.forget()
    log.settle(TEXT, [{ command: "START" }], undefined)
    return Promise.resolve({ command: "START", rowCount: null, oid: null, rows: [], fields: [] })
  }

  /** What is to go in front of the statement that is sent now. */
  take(): readonly SqlStatement[] {
    if (!this.waiting) return NONE
    clearImmediate(this.waiting)
    this.waiting = undefined
    return [START]
  }

  /** Sends it by itself; what comes meanwhile waits. */
  send(): void {
    if (this.take().length > 0) void this.own.turns.take(() => this.sendAlone())
  }

  /** What it failed with when it was sent by itself, once. */
  takeFailure(): { readonly error: unknown } | undefined {
    const { failure } = this
    this.failure = undefined
    return failure
  }

  private async sendAlone(): Promise<void> {
    const { connection, bareQuery } = this.own
    try {
      await bareQuery.call(connection, TEXT)
    } catch (error) {
      this.failure = { error }
      endWithoutStart(connection, error)
    }
  }
}

const NONE: readonly SqlStatement[] = []

/** Nothing more may be carried out on a connection whose transaction somebody takes to be open, and the server refused it. */
export function endWithoutStart(connection: DriverConnection, error: unknown): void {
  if (isServersWord(error)) void connection.end()
}
