import type { DataSource } from "typeorm"
import { findCapture } from "./capture/find-capture"
import { readStatementRow } from "./capture/statement-row"
import { ChangeEventsError } from "./errors"
import type { DeliverySurroundings, RunningRelay, StartRelayOptions } from "./event-delivery"
import { onlyDataSource } from "./only-data-source"
import type { ChangeLogTables } from "./outbox/change-log-tables"
import { CommitNotice } from "./outbox/commit-notice"
import { outboxDefaults, type OutboxOptions } from "./outbox/outbox-options"
import type { CursorDeliveryStatus } from "./relay/cursor-delivery-parts"
import type { RelayBrokers } from "./relay/relay-brokers"
import type { DeliveryOptions } from "./publishing/delivery-options"
import type { WaitOptions } from "./publishing/direct-sink"
import { driverClient } from "./relay/driver-client"
import { Relay } from "./relay/relay"
import { relayFaults, type RelayOptions } from "./relay/relay-options"
import type { Report } from "./runtime/report"
import { within } from "./runtime/within"

export interface ProcessRelaysOptions {
  readonly outbox: OutboxOptions
  readonly delivery: Partial<DeliveryOptions>
  readonly report: Report
  readonly tables: ChangeLogTables
  readonly brokers: RelayBrokers
  readonly surroundings: DeliverySurroundings
}

function checkRelayOptions(options: unknown): void {
  const faults = relayFaults(options, ["dataSource"])
  if (faults.length === 0) return
  const message = `startRelay() was given wrong options:\n- ${faults.join("\n- ")}`
  throw new ChangeEventsError("OPTIONS_INVALID", message, { details: { faults } })
}

/** The relays that run in this process: one for each database, as a rule one. */
export class ProcessRelays {
  private readonly running = new Map<DataSource, Relay>()
  private readonly starting = new Map<DataSource, Promise<Relay>>()
  private readonly notice: CommitNotice

  constructor(private readonly options: ProcessRelaysOptions) {
    this.notice = new CommitNotice(options.tables.channel)
  }

  /** @throws ChangeEventsError OPTIONS_INVALID, with all faults in `details.faults`; what `Relay.start` throws */
  async start(given: StartRelayOptions = {}): Promise<RunningRelay> {
    checkRelayOptions(given)
    const { dataSource: named, ...options } = given
    const dataSource = named ?? onlyDataSource(this.options.surroundings)
    const relay = this.running.get(dataSource) ?? (await this.startOnce(dataSource, options))
    return {
      status: () => relay.status(),
      stop: async (waitOptions) => {
        if (this.running.get(dataSource) === relay) this.running.delete(dataSource)
        await relay.stop(waitOptions)
      },
    }
  }

  /** Two calls at once start one relay; one that cannot start is forgotten, with its options. */
  private startOnce(dataSource: DataSource, options: RelayOptions): Promise<Relay> {
    const known = this.starting.get(dataSource)
    if (known) return known
    const starting = this.relayOf(dataSource, options)
      .then(async (relay) => {
        await relay.start()
        this.running.set(dataSource, relay)
        return relay
      })
      .finally(() => this.starting.delete(dataSource))
    this.starting.set(dataSource, starting)
    return starting
  }

  /** Something was committed: the relay here knows at once, those of other processes are told. */
  onLogged(dataSource: DataSource): void {
    const own = this.running.get(dataSource)
    own?.wake()
    if (!own?.leadsAll) this.notice.give(dataSource)
  }

  /** What they lead. */
  cursors(): readonly CursorDeliveryStatus[] {
    return [...this.running.values()].flatMap((relay) => relay.status().cursors)
  }

  /** @throws ChangeEventsError FLUSH_TIMEOUT */
  async caughtUp(timeoutMs: number): Promise<void> {
    const all = Promise.all([...this.running.values()].map((relay) => relay.caughtUp()))
    const message = `the relay has not delivered everything after ${timeoutMs} ms`
    await within(timeoutMs, all, () => new ChangeEventsError("FLUSH_TIMEOUT", message, { details: { timeoutMs } }))
  }

  async stop(options?: WaitOptions): Promise<void> {
    // One that is being started would run on otherwise, unknown to anybody.
    await Promise.allSettled(this.starting.values())
    const relays = [...this.running.values()]
    this.running.clear()
    await Promise.all(relays.map((relay) => relay.stop(options)))
  }

  private async relayOf(dataSource: DataSource, options: RelayOptions): Promise<Relay> {
    const capture = findCapture(dataSource)
    if (!capture) {
      const message = "the relay was given a DataSource that has no subscriber of this package, or is not initialised"
      throw new ChangeEventsError("DATA_SOURCE_NOT_ATTACHED", message)
    }
    await capture.whenKnown(undefined)
    const { tables, brokers, delivery, report, outbox } = this.options
    const environment = {
      tables,
      delivery,
      report,
      brokers: () => brokers.all(),
      createClient: () => driverClient(dataSource),
      readStatementRow: readStatementRow.bind(undefined, capture),
      retentionDays: outbox.retentionDays ?? outboxDefaults.retentionDays,
    }
    return new Relay(environment, options)
  }
}
