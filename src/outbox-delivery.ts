import type { DataSource } from "typeorm"
import { ChangeEventsError } from "./errors"
import { onlyDataSource } from "./only-data-source"
import { ProcessRelays } from "./process-relays"
import type { DeliverySurroundings, EventDelivery } from "./event-delivery"
import type { SqlStatement } from "./events/transactional-sink"
import { changeLogTables } from "./outbox/change-log-tables"
import { changeLogWriter } from "./outbox/change-log-writer"
import type { OutboxOptions } from "./outbox/outbox-options"
import { RelayBrokers } from "./relay/relay-brokers"
import { relayedStatus } from "./relay/relayed-status"
import type { BrokerStatus } from "./publishing/broker-status"
import type { DeliveryOptions } from "./publishing/delivery-options"
import { createDirectSink } from "./publishing/direct-sink"
import type { Report } from "./runtime/report"

export interface OutboxDeliveryOptions {
  readonly outbox: OutboxOptions
  readonly delivery: Partial<DeliveryOptions>
  readonly report: Report
}

const DEFAULT_TIMEOUT_MS = 10_000

/** By the change log, which the transaction itself writes and a relay reads: at least once, whatever dies. */
export function outboxDelivery(options: OutboxDeliveryOptions, surroundings: DeliverySurroundings): EventDelivery {
  const { outbox, delivery, report } = options
  const tables = changeLogTables(outbox)
  const writer = changeLogWriter(tables, report)
  const brokers = new RelayBrokers(report)
  // Listeners are this process's own: they are told after the commit, from memory.
  const listeners = createDirectSink({ report, delivery })
  const relays = new ProcessRelays({ ...options, tables, brokers, surroundings })

  return {
    sink: listeners,
    outbox: writer,
    tables,
    isHeard: () => listeners.isHeard,
    onLogged: (dataSource) => relays.onLogged(dataSource),
    publish: async (event, manager) => {
      const insert = writer.insert([event])
      const dataSource = insert && (manager?.dataSource ?? onlyDataSource(surroundings))
      if (dataSource) await writeNow(insert, dataSource)
      if (listeners.isHeard) listeners.accept([event])
      if (dataSource) relays.onLogged(dataSource)
    },
    registerBroker: (name, broker, brokerOptions) => brokers.register(name, broker, brokerOptions),
    deregisterBroker: (name, { timeoutMs = DEFAULT_TIMEOUT_MS } = {}) => brokers.deregister(name, timeoutMs),
    on: (pattern, listener) => listeners.on(pattern, listener),
    flush: async (waitOptions) => {
      await listeners.flush(waitOptions)
      await relays.caughtUp(waitOptions?.timeoutMs ?? DEFAULT_TIMEOUT_MS)
    },
    close: async (waitOptions) => {
      await listeners.close(waitOptions)
      await relays.stop(waitOptions)
      await brokers.closeAll(waitOptions?.timeoutMs ?? DEFAULT_TIMEOUT_MS)
    },
    status: () => ({ ...listeners.status(), brokers: brokerStatuses(brokers, relays) }),
    startRelay: (relayOptions) => relays.start(relayOptions),
  }
}

function brokerStatuses(brokers: RelayBrokers, relays: ProcessRelays): Record<string, BrokerStatus> {
  const cursors = relays.cursors()
  return Object.fromEntries(brokers.all().map((broker) => [broker.name, relayedStatus(broker, cursors)]))
}

/** In a transaction of its own. @throws ChangeEventsError OUTBOX_WRITE_FAILED */
async function writeNow({ text, values }: SqlStatement, dataSource: DataSource): Promise<void> {
  await dataSource.query(text, [...values]).catch((cause: unknown) => {
    const message = "the change log could not be written, so the event is not published"
    throw new ChangeEventsError("OUTBOX_WRITE_FAILED", message, { cause })
  })
}
