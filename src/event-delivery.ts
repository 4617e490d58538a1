import type { DataSource, EntityManager } from "typeorm"
import type { EventBroker } from "./brokers/broker"
import type { Capture } from "./capture/capture"
import type { EventSink, PendingEvent } from "./events/sink"
import type { TransactionalSink } from "./events/transactional-sink"
import type { ChangeLogTables } from "./outbox/change-log-tables"
import type { DirectSinkStatus, WaitOptions } from "./publishing/direct-sink"
import type { EventListener } from "./publishing/listener-recipient"
import type { BrokerOptions } from "./publishing/route"
import type { RelayStatus } from "./relay/relay"
import type { RelayOptions } from "./relay/relay-options"

/** How events get from their commit to the brokers: directly from memory, or by the change log. */
export interface EventDelivery<Status extends DirectSinkStatus = DirectSinkStatus> {
  /** Gets what was committed, in the order of the commits. */
  readonly sink: EventSink
  /** Gets it before its commit, by the transaction itself. */
  readonly outbox?: TransactionalSink
  /** Where the outbox is. */
  readonly tables?: ChangeLogTables
  /** A commit has put something into the outbox. */
  readonly onLogged?: (dataSource: DataSource) => void
  /** Whether `sink` has any use for events. Default: yes. */
  readonly isHeard?: () => boolean
  /** An application's own event that belongs to no transaction. */
  publish(event: PendingEvent, manager: EntityManager | undefined): Promise<void>
  registerBroker(name: string, broker: EventBroker, options?: BrokerOptions): void
  deregisterBroker(name: string, options?: WaitOptions): Promise<void>
  on(pattern: string, listener: EventListener): () => void
  flush(options?: WaitOptions): Promise<void>
  close(options?: WaitOptions): Promise<void>
  status(): Status
  /** @throws ChangeEventsError OUTBOX_OFF; what `Relay.start` throws */
  startRelay(options?: StartRelayOptions): Promise<RunningRelay>
}

export interface StartRelayOptions extends RelayOptions {
  /** Whose database holds the change log. Default: the one that has the subscriber. */
  readonly dataSource?: DataSource
}

/** A relay in this process. */
export interface RunningRelay {
  status(): RelayStatus
  /** Saves how far it came, and lets another relay go on at once. Never rejects. */
  stop(options?: WaitOptions): Promise<void>
}

/** What a delivery is told by the composition around it. */
export interface DeliverySurroundings {
  /** The DataSources that are captured. */
  readonly captures: ReadonlySet<Capture>
}
