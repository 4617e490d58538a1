import type { EntityManager } from "typeorm"
import type { EventBroker } from "./brokers/broker"
import type { Capture } from "./capture/capture"
import type { EventSink, PendingEvent } from "./events/sink"
import type { TransactionalSink } from "./events/transactional-sink"
import type { ChangeLogTables } from "./outbox/change-log-tables"
import type { DirectSinkStatus, WaitOptions } from "./publishing/direct-sink"
import type { EventListener } from "./publishing/listener-recipient"
import type { BrokerOptions } from "./publishing/route"

/** How events get from their commit to the brokers: directly from memory, or by the change log. */
export interface EventDelivery<Status extends DirectSinkStatus = DirectSinkStatus> {
  /** Gets what was committed, in the order of the commits. */
  readonly sink: EventSink
  /** Gets it before its commit, by the transaction itself. */
  readonly outbox?: TransactionalSink
  /** Where the outbox is. */
  readonly tables?: ChangeLogTables
  /** A commit has put something into the outbox. */
  readonly onLogged?: () => void
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
}

/** What a delivery is told by the composition around it. */
export interface DeliverySurroundings {
  /** The DataSources that are captured. */
  readonly captures: ReadonlySet<Capture>
}
