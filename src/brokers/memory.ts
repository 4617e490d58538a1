import type { EventMessage } from "../events/message"
import type { EventBroker, PublishResult } from "./broker"
import { closedError } from "./parts/closed-error"

export interface MemoryBroker extends EventBroker {
  /** What was published since the start or the last `clear()`, oldest first. It grows as messages come. */
  readonly messages: readonly EventMessage[]
  /** Begins a new, empty `messages`; one taken earlier keeps what it has. Also works on a closed broker. */
  clear(): void
  publishBatch(messages: readonly EventMessage[]): Promise<readonly PublishResult[]>
  readonly keepsOrder: true
  close(): Promise<void>
}

/**
 * Keeps what is published, for tests and demonstrations: the reference for what a broker promises. It keeps everything until
 * `clear()`, so it is not for production. The messages stay readable after `close()`.
 */
export function memoryBroker(): MemoryBroker {
  let kept: EventMessage[] = []
  let closed = false

  async function publishBatch(messages: readonly EventMessage[]): Promise<readonly PublishResult[]> {
    if (closed) throw closedError("memoryBroker")
    kept.push(...messages)
    return messages.map(() => ({ accepted: true }))
  }

  return {
    get messages() {
      return kept
    },
    clear() {
      kept = []
    },
    async publish(message) {
      await publishBatch([message])
    },
    publishBatch,
    keepsOrder: true,
    async close() {
      closed = true
    },
  }
}
