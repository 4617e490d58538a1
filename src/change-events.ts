import type { DataSource } from "typeorm"
import type { EventBroker } from "./brokers/broker"
import type { Capture } from "./capture/capture"
import { changeSubscriber, type ChangeSubscriber, type ChangeSubscriberClass } from "./capture/change-subscriber"
import { EntityRecords } from "./capture/entity-record"
import { CAPTURE, findCapture } from "./capture/find-capture"
import { checkDataSource, installCapturingBuilders } from "./capture/install-builders"
import { CommitOrder } from "./capture/commit-order"
import { watchDataSources } from "./capture/watch-data-sources"
import { ChangeEventsError } from "./errors"
import { prefixedTopic } from "./events/topic"
import { eventHistory, type EventHistory } from "./history"
import { approvalEvents, type ApprovalEvents } from "./notices/approval-events"
import { jobEvents, type JobEvents } from "./notices/job-events"
import { adminEvents, userEvents, type AdminEvents, type UserEvents } from "./notices/user-events"
import { checkOptions, deliveryMode, type BrokerRegistration, type ChangeEventsOptions } from "./options"
import { directDelivery } from "./direct-delivery"
import type { EventDelivery, RunningRelay, StartRelayOptions } from "./event-delivery"
import { outboxDelivery } from "./outbox-delivery"
import type { DirectSinkStatus, WaitOptions } from "./publishing/direct-sink"
import type { EventListener } from "./publishing/listener-recipient"
import type { BrokerOptions } from "./publishing/route"
import { eventPublisher, type PublishEvent, type PublishOptions } from "./publish-event"
import { createReporter, type Report } from "./runtime/report"
import { rememberSubscribed } from "./subscribed-changes"

export interface ChangeEventsStatus extends DirectSinkStatus {
  /** Writes that were noticed and made no events, since the start. */
  readonly uncaptured: { readonly statements: number; readonly rows: number }
}

/** Every committed change of a DataSource's entities, as events. */
export interface ChangeEvents extends EventHistory {
  /** For `DataSourceOptions.subscribers`. Survives `destroy()` and `initialize()`. */
  readonly subscriber: ChangeSubscriberClass
  /**
   * The same for a DataSource built elsewhere (NestJS), before or after its `initialize()`. Doing it twice changes nothing.
   *
   * @throws ChangeEventsError DATA_SOURCE_TAKEN, DATA_SOURCE_UNSUPPORTED, TYPEORM_UNSUPPORTED
   */
  attach(dataSource: DataSource): void
  /** @throws ChangeEventsError BROKER_NAME_TAKEN, BROKER_INVALID, CHANGES_CLOSED */
  registerBroker(name: string, broker: EventBroker, options?: BrokerOptions): void
  /** Stops its delivery and closes it; what is queued for it is dropped and counted. @throws ChangeEventsError BROKER_UNKNOWN */
  deregisterBroker(name: string, options?: WaitOptions): Promise<void>
  /**
   * An application's own event. The topic is taken as it is, without `topicPrefix`; the payload is written down as JSON at once.
   * With `manager` it belongs to that transaction, without it leaves now.
   *
   * @throws ChangeEventsError EVENT_UNSERIALIZABLE, OPTIONS_INVALID, DATA_SOURCE_NOT_ATTACHED
   */
  publish(topic: string, payload: unknown, options?: PublishOptions): Promise<void>
  /** A user signed in or out, failed to, changed a password. */
  readonly users: UserEvents
  /** An administrator did something to a user. */
  readonly admin: AdminEvents
  /** Jobs, and hooks that changes trigger: their start, their end, and the context of their changes. */
  readonly jobs: JobEvents
  /** What became of a scheduled job that needs approval. */
  readonly approvals: ApprovalEvents
  /**
   * Calls the listener with each committed event whose topic matches, outside the transaction. What it throws is reported and reaches
   * nobody. Gives a function that ends it. @throws ChangeEventsError OPTIONS_INVALID
   */
  on(pattern: string, listener: EventListener): () => void
  /** Waits for what was committed before. @throws ChangeEventsError FLUSH_TIMEOUT after `timeoutMs`, default 10 000 */
  flush(options?: WaitOptions): Promise<void>
  /** Flushes, then closes the brokers. Writes go on, without events. */
  close(options?: WaitOptions): Promise<void>
  status(): ChangeEventsStatus
  /**
   * Delivers the change log to the registered brokers, in this process, until it is stopped or everything is closed. Any number of processes may:
   * they share the work. Only with `delivery: "outbox"`.
   *
   * @throws ChangeEventsError OUTBOX_OFF, DATA_SOURCE_NOT_ATTACHED, RELAY_WITHOUT_BROKERS, CHANGE_LOG_MISSING, CHANGE_LOG_VERSION,
   * CHANGE_LOG_FOREIGN, CHANGE_LOG_READ_ONLY
   */
  startRelay(options?: StartRelayOptions): Promise<RunningRelay>
}

/**
 * Connects to nothing; capture begins when a DataSource with `subscriber` is initialised.
 *
 * @throws ChangeEventsError OPTIONS_INVALID, with every fault of the options
 */
export function changeEvents(options: ChangeEventsOptions = {}): ChangeEvents {
  checkOptions(options)
  watchDataSources()
  const report = createReporter({ logger: options.logger })
  const captures = new Set<Capture>()
  const records = new EntityRecords(captures)
  const delivery = deliveryOf(options, report, captures)
  for (const [name, entry] of Object.entries(options.brokers ?? {})) {
    if (isRegistration(entry)) delivery.registerBroker(name, entry.use, optionsOf(entry))
    else delivery.registerBroker(name, entry)
  }
  const order = new CommitOrder(delivery.sink)
  const owner = {}
  const uncaptured = { statements: 0, rows: 0 }
  const { outbox, onLogged, isHeard } = delivery
  const environment = { options, order, report, uncaptured, captures, outbox, onLogged, isHeard }
  const subscriber = changeSubscriber(owner, environment)

  const changes: ChangeEvents = {
    subscriber,
    attach: (dataSource) => attach(dataSource, subscriber, owner),
    registerBroker: (name, broker, brokerOptions) => delivery.registerBroker(name, broker, brokerOptions),
    deregisterBroker: (name, waitOptions) => delivery.deregisterBroker(name, waitOptions),
    on: (pattern, listener) => delivery.on(pattern, listener),
    flush: async (waitOptions) => {
      await order.settled()
      await delivery.flush(waitOptions)
    },
    close: async (waitOptions) => {
      await order.settled()
      await delivery.close(waitOptions)
    },
    status: () => ({ ...delivery.status(), uncaptured: { ...uncaptured } }),
    startRelay: (relayOptions) => delivery.startRelay(relayOptions),
    ...ownEvents(eventPublisher(delivery), options, { report, records }),
    ...eventHistory({ captures, records, tables: delivery.tables }),
  }
  rememberSubscribed(subscriber, { changes, tables: delivery.tables, outbox: options.outbox ?? {} })
  return changes
}

function deliveryOf(options: ChangeEventsOptions, report: Report, captures: ReadonlySet<Capture>): EventDelivery {
  const { mode, ...delivery } = deliveryMode(options.delivery)
  if (mode === "direct") return directDelivery(delivery, report)
  return outboxDelivery({ outbox: options.outbox ?? {}, delivery, report }, { captures })
}

interface EventOwners {
  readonly report: Report
  readonly records: EntityRecords
}

/** What publishes events that are no changes. */
function ownEvents(
  publish: PublishEvent,
  { topicPrefix }: ChangeEventsOptions,
  { report, records }: EventOwners,
): Pick<ChangeEvents, "publish" | "users" | "admin" | "jobs" | "approvals"> {
  const topic = (name: string): string => prefixedTopic(topicPrefix, name)
  const environment = { records, report, topic, publish }
  return {
    publish,
    users: userEvents(environment),
    admin: adminEvents(environment),
    jobs: jobEvents(environment),
    approvals: approvalEvents(environment),
  }
}

function attach(dataSource: DataSource, subscriber: ChangeSubscriberClass, owner: object): void {
  checkDataSource(dataSource)
  installCapturingBuilders()
  const ours = (dataSource.subscribers as readonly Partial<ChangeSubscriber>[]).find(
    (known) => known[CAPTURE] !== undefined && known.owner !== undefined,
  )
  if (ours && ours.owner !== owner) {
    throw new ChangeEventsError("DATA_SOURCE_TAKEN", "another changeEvents() already captures this DataSource")
  }
  const listed = Object.values(dataSource.options.subscribers ?? [])
  if (!listed.includes(subscriber)) dataSource.setOptions({ subscribers: [...(listed as never[]), subscriber] })
  if (ours || !dataSource.isInitialized) return
  dataSource.subscribers.unshift(new subscriber())
  findCapture(dataSource)
}

function isRegistration(entry: EventBroker | BrokerRegistration): entry is BrokerRegistration {
  return "use" in entry
}

function optionsOf({ use: _broker, ...options }: BrokerRegistration): BrokerOptions {
  return options
}
