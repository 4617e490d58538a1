import { randomUUID } from "node:crypto"
import { hostname } from "node:os"
import { asError, ChangeEventsError } from "../errors"
import type { ChangeLogTables } from "../outbox/change-log-tables"
import { logOrigin } from "../outbox/log-origin"
import type { SqlQuery } from "../outbox/log-rows"
import type { StatementRowReader } from "../events/log-row"
import type { DeliveryOptions } from "../publishing/delivery-options"
import { diagnostics } from "../runtime/diagnostics"
import type { Report } from "../runtime/report"
import { within } from "../runtime/within"
import { checkChangeLog } from "./change-log-check"
import { CursorDelivery } from "./cursor-delivery"
import type { CursorDeliveryStatus } from "./cursor-delivery-parts"
import { ensureCursors } from "./cursor-registry"
import { CursorStore, RELEASED, type CursorName } from "./cursor-store"
import { Pruning } from "./pruning"
import type { RelayBroker } from "./relay-brokers"
import { RelayConnection, type RelayClient } from "./relay-connection"
import { RelayListener } from "./relay-listener"
import { relayDefaults, type RelayOptions } from "./relay-options"
import { Waiting } from "./waiting"

export interface RelayEnvironment {
  readonly tables: ChangeLogTables
  /** Makes a connection of the relay's own, not from the application's pool. */
  readonly createClient: () => RelayClient
  /** Asked again at every round: brokers come and go. */
  readonly brokers: () => readonly RelayBroker[]
  readonly delivery: Partial<DeliveryOptions>
  readonly readStatementRow: StatementRowReader
  readonly retentionDays: number
  readonly report: Report
}

export interface RelayStatus {
  /** Whether commits are heard of at once, and not only at the next poll. */
  readonly isListening: boolean
  /** What this relay leads. */
  readonly cursors: readonly CursorDeliveryStatus[]
}

interface Led {
  readonly delivery: CursorDelivery
  readonly done: Promise<void>
}

/** Delivers what the change log holds, to the brokers whose cursors it can get hold of. Any number of relays may run. */
export class Relay {
  readonly id = randomUUID()
  private readonly options: Required<RelayOptions>
  private readonly connection: RelayConnection
  private readonly query: SqlQuery = (text, values) => this.connection.query(text, values)
  private readonly listener: RelayListener
  private readonly pruning: Pruning
  private readonly store: CursorStore
  private readonly led = new Map<string, Led>()
  private readonly waiting = new Waiting()
  private origin = ""
  private firstRound: Promise<void> | undefined
  private running: Promise<void> | undefined
  private isStopped = false
  private fairShare = Infinity
  private cursorCount = 0
  private isRoundDue = false

  constructor(
    private readonly environment: RelayEnvironment,
    options: RelayOptions = {},
  ) {
    this.options = { ...relayDefaults, ...withoutUndefined(options) }
    const { createClient, tables } = environment
    const timeoutMs = Math.max(1_000, this.options.leaseMs / 2)
    this.connection = new RelayConnection({ createClient, timeoutMs })
    this.store = new CursorStore(this.connection, tables, this.id, this.options.leaseMs)
    this.listener = new RelayListener({
      createClient,
      channel: tables.channel,
      onWake: (said) => (said === RELEASED ? this.hurry() : this.wake()),
      timeoutMs: 5_000,
      probeMs: 10_000,
    })
    this.pruning = new Pruning({
      createClient,
      tables,
      retentionDays: environment.retentionDays,
      onPruned: (heldBackBy) => this.heldBack(heldBackBy),
      onFailed: (error) => this.failed(error),
    })
  }

  /**
   * Resolves when it runs, and leads what it could get hold of.
   *
   * @throws ChangeEventsError RELAY_WITHOUT_BROKERS, CHANGE_LOG_MISSING, CHANGE_LOG_VERSION, CHANGE_LOG_FOREIGN, CHANGE_LOG_READ_ONLY
   */
  async start(): Promise<void> {
    if (this.running) return
    if (this.environment.brokers().length === 0) {
      throw new ChangeEventsError(
        "RELAY_WITHOUT_BROKERS",
        "the relay has nobody to deliver to: register a broker first",
      )
    }
    const { tables } = this.environment
    try {
      await checkChangeLog(this.query, tables)
      this.origin = await logOrigin(this.query, tables)
    } catch (thrown) {
      await this.connection.close()
      throw this.asOurs(asError(thrown))
    }
    if (this.options.listen) this.listener.start()
    this.tell("started")
    this.running = this.run()
    // What is committed behind this is behind the cursors, also those that begin "now".
    await this.firstRound
  }

  /** Something was logged. */
  wake(): void {
    for (const { delivery } of this.led.values()) delivery.wake()
  }

  /** Ends what is under way, saves how far it came, and lets go of the leases, so that another relay goes on at once. Never rejects. */
  async stop({ timeoutMs = 10_000 }: { readonly timeoutMs?: number } = {}): Promise<void> {
    const isFirst = !this.isStopped
    this.isStopped = true
    this.waiting.wake()
    const led = [...this.led.values()]
    for (const { delivery } of led) delivery.stop()
    const ended = Promise.all([this.running, ...led.map(({ done }) => done)])
    await within(timeoutMs, ended, () => new Error("late")).catch(() => undefined)
    await Promise.all(led.map(({ delivery }) => this.store.release(delivery.cursor).catch(() => undefined)))
    await this.connection
      .query(`DELETE FROM ${this.environment.tables.relay} WHERE id = $1`, [this.id])
      .catch(() => undefined)
    if (led.length > 0) await this.store.announceRelease().catch(() => undefined)
    await Promise.all([this.listener.stop(), this.pruning.stop(), this.connection.close()])
    if (isFirst && this.running) this.tell("stopped")
  }

  /** Resolves when all that was logged before and is led here is delivered, dead, or to nobody. */
  async caughtUp(): Promise<void> {
    await this.firstRound
    await Promise.all([...this.led.values()].map(({ delivery }) => delivery.caughtUp()))
  }

  status(): RelayStatus {
    return {
      isListening: this.listener.isListening,
      cursors: [...this.led.values()].map(({ delivery }) => delivery.status()),
    }
  }

  /** Whether every cursor there is is led here: then nobody else need be told of a commit. */
  get leadsAll(): boolean {
    return this.cursorCount > 0 && this.led.size >= this.cursorCount
  }

  private async run(): Promise<void> {
    while (!this.isStopped) {
      const round = this.roundOnce().catch((thrown: unknown) => this.failed(asError(thrown)))
      this.firstRound ??= round
      await round
      if (!this.isStopped && !this.isRoundDue) await this.waiting.atLeast(this.options.leaseMs / 4)
    }
  }

  /** There may be something to claim: the next round is now, or at once behind the one under way. */
  private hurry(): void {
    this.isRoundDue = true
    this.waiting.wake()
  }

  /** Renews what is led, claims what is free, up to a fair share; lets go of what is more. */
  private async roundOnce(): Promise<void> {
    this.isRoundDue = false
    await this.renewLed()
    const brokers = this.environment.brokers()
    this.letGoOf([...this.led.values()].filter(({ delivery }) => !brokers.includes(delivery.broker)))
    const names: CursorName[] = []
    for (const broker of brokers) if (await this.prepare(broker)) names.push(...cursorNames(broker))
    this.cursorCount = names.length
    this.fairShare = Math.ceil(names.length / (await this.liveRelays()))
    this.letGoOf([...this.led.values()].slice(this.fairShare))
    for (const name of names) await this.claim(name, brokers)
    if (this.options.prune) this.pruning.beginIfDue()
  }

  private async renewLed(): Promise<void> {
    for (const { delivery } of this.led.values()) {
      const askedAt = performance.now()
      const lettersChanged = await this.store.renew(delivery.cursor)
      if (lettersChanged === undefined) delivery.lose()
      else delivery.renewed(askedAt, lettersChanged)
    }
  }

  private async prepare({ name, options }: RelayBroker): Promise<boolean> {
    const { tables, report } = this.environment
    const wanted = { broker: name, shards: options.shards ?? 1, startAt: this.options.startAt }
    const ready = await ensureCursors(this.query, tables, wanted)
    if (ready === "ready") return true
    // Relays that know the old number and those that know the new one wait for one another: the first to let go decides.
    this.letGoOf([...this.led.values()].filter(({ delivery }) => delivery.cursor.name.broker === name))
    const message = `broker ${name} is to have ${wanted.shards} shards, and is led by a relay that knows another number: it waits for its end`
    report(new ChangeEventsError("RELAY_FAILED", message, { details: { about: `${name} shards` } }))
    return false
  }

  private async liveRelays(): Promise<number> {
    const [answer] = await this.connection.query(
      `WITH own AS (
         INSERT INTO ${this.environment.tables.relay} (id, host, pid, seen_at) VALUES ($1, $2, $3, clock_timestamp())
         ON CONFLICT (id) DO UPDATE SET seen_at = clock_timestamp()
       ) SELECT count(*)::int AS others FROM ${this.environment.tables.relay}
         WHERE id <> $1 AND seen_at > clock_timestamp() - $4 * interval '1 ms'`,
      [this.id, hostname(), process.pid, this.options.leaseMs],
    )
    return 1 + (answer as { others: number }).others
  }

  private async claim(name: CursorName, brokers: readonly RelayBroker[]): Promise<void> {
    const id = `${name.broker}/${name.shard}`
    if (this.isStopped || this.led.has(id) || this.led.size >= this.fairShare) return
    const broker = brokers.find((each) => each.name === name.broker)
    const cursor = broker && (await this.store.claim(name))
    if (!cursor || this.isStopped) return cursor && this.store.release(cursor)
    const { tables, readStatementRow, report, delivery } = this.environment
    const { leaseMs, pollMs } = this.options
    const reader = { readStatementRow, origin: this.origin }
    const { id: relay, connection, store } = this
    const parts = { relay, connection, tables, store, reader, report, leaseMs, pollMs, delivery }
    const led = new CursorDelivery(cursor, broker, parts)
    const done = led.run().then(() => void (this.led.get(id)?.delivery === led && this.led.delete(id)))
    this.led.set(id, { delivery: led, done })
  }

  /** Not waited for: the lease is let go of when the call under way has ended. */
  private letGoOf(led: readonly Led[]): void {
    for (const { delivery, done } of led) {
      delivery.stop()
      void done
        .then(() => this.store.release(delivery.cursor))
        .then(() => this.store.announceRelease())
        .catch(() => undefined)
    }
  }

  private heldBack(brokers: readonly string[]): void {
    const { retentionDays, report } = this.environment
    const idle = brokers.filter((name) => !this.environment.brokers().some((broker) => broker.name === name))
    if (idle.length === 0) return
    const message = `the change log keeps rows older than ${retentionDays} days for ${idle.join(", ")}, to which nobody delivers here`
    report(new ChangeEventsError("RELAY_FAILED", message, { details: { about: "retention" } }))
  }

  private failed(cause: Error): void {
    const error = this.asOurs(cause)
    this.environment.report(error)
    if (!diagnostics.relay.hasSubscribers) return
    diagnostics.relay.publish({ change: "failed", relay: this.id, broker: null, shard: null, code: error.code })
  }

  private tell(change: "started" | "stopped"): void {
    if (diagnostics.relay.hasSubscribers) diagnostics.relay.publish({ change, relay: this.id })
  }

  private asOurs(cause: Error): ChangeEventsError {
    if (cause instanceof ChangeEventsError) return cause
    const message = `the relay cannot work with the database: ${cause.message}`
    return new ChangeEventsError("RELAY_FAILED", message, { cause, details: { about: "relay" } })
  }
}

function cursorNames({ name, options }: RelayBroker): CursorName[] {
  const shards = options.shards ?? 1
  return Array.from({ length: shards }, (_, shard) => ({ broker: name, shard, shards }))
}

function withoutUndefined(options: RelayOptions): RelayOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
}
