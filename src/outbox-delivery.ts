import type { DataSource } from "typeorm"
import { ChangeEventsError } from "./errors"
import type { DeliverySurroundings, EventDelivery } from "./event-delivery"
import type { SqlStatement } from "./events/transactional-sink"
import { changeLogTables } from "./outbox/change-log-tables"
import { changeLogWriter } from "./outbox/change-log-writer"
import type { OutboxOptions } from "./outbox/outbox-options"
import { RelayBrokers } from "./outbox/relay-brokers"
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
export function outboxDelivery(
  { outbox, delivery, report }: OutboxDeliveryOptions,
  surroundings: DeliverySurroundings,
): EventDelivery {
  const tables = changeLogTables(outbox)
  const writer = changeLogWriter(tables, report)
  const brokers = new RelayBrokers(report)
  // Listeners are this process's own: they are told after the commit, from memory.
  const listeners = createDirectSink({ report, delivery })
  const isHeard = (): boolean => listeners.status().listeners > 0

  return {
    sink: listeners,
    outbox: writer,
    tables,
    isHeard,
    publish: async (event, manager) => {
      const insert = writer.insert([event])
      if (insert) await writeNow(insert, manager?.dataSource ?? onlyDataSource(surroundings))
      if (isHeard()) listeners.accept([event])
    },
    registerBroker: (name, broker, options) => brokers.register(name, broker, options),
    deregisterBroker: (name, { timeoutMs = DEFAULT_TIMEOUT_MS } = {}) => brokers.deregister(name, timeoutMs),
    on: (pattern, listener) => listeners.on(pattern, listener),
    flush: (options) => listeners.flush(options),
    close: async (options) => {
      await listeners.close(options)
      await brokers.closeAll(options?.timeoutMs ?? DEFAULT_TIMEOUT_MS)
    },
    status: () => listeners.status(),
  }
}

/** In a transaction of its own. @throws ChangeEventsError OUTBOX_WRITE_FAILED */
async function writeNow({ text, values }: SqlStatement, dataSource: DataSource): Promise<void> {
  await dataSource.query(text, [...values]).catch((cause: unknown) => {
    const message = "the change log could not be written, so the event is not published"
    throw new ChangeEventsError("OUTBOX_WRITE_FAILED", message, { cause })
  })
}

function onlyDataSource({ captures }: DeliverySurroundings): DataSource {
  const [first, second] = [...captures].filter(({ dataSource }) => dataSource.isInitialized)
  if (first && !second) return first.dataSource
  const count = first ? "several DataSources have" : "no initialised DataSource has"
  const message = `publish() must know which change log to write, and ${count} the subscriber: give it \`manager\``
  throw new ChangeEventsError("DATA_SOURCE_NOT_ATTACHED", message)
}
