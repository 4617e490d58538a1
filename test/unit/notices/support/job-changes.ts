import { changeEvents, type ChangeEvents } from "../../../../src"
import { memoryBroker } from "../../../../src/testing"

export const started = "nautobot.jobs.job.started"
export const completed = "nautobot.jobs.job.completed"

export interface SentEvent {
  readonly topic: string
  readonly key: string
  readonly payload: Readonly<Record<string, unknown>>
}

export interface JobChanges {
  readonly changes: ChangeEvents
  /** What was sent since the last `clear()`. */
  sent(): Promise<readonly SentEvent[]>
  clear(): Promise<void>
  /** Lines that were logged. */
  readonly logged: readonly string[]
}

/** Events of jobs need no database. */
export function jobChanges(): JobChanges {
  const broker = memoryBroker()
  const logged: string[] = []
  const logger = { warn: (line: string) => void logged.push(line), error: (line: string) => void logged.push(line) }
  const changes = changeEvents({ topicPrefix: "nautobot", brokers: { memory: broker }, logger })
  return {
    changes,
    logged,
    async sent() {
      await changes.flush()
      return broker.messages.map(({ topic, key, body }) => ({
        topic,
        key,
        payload: JSON.parse(body) as SentEvent["payload"],
      }))
    },
    async clear() {
      await changes.flush()
      broker.clear()
    },
  }
}
