import type { EventBroker, EventMessage, PublishResult } from "../../src"

/** A broker whose answers a test decides, and that remembers what it accepted. */
export interface RecordingBroker extends EventBroker {
  readonly accepted: readonly EventMessage[]
  /** Every call's messages, also of those it refused. */
  readonly calls: readonly (readonly EventMessage[])[]
  /** Resolves when so many messages were accepted in all. */
  untilAccepted(count: number): Promise<void>
  /** Resolves when so many calls were made in all. */
  untilCalled(count: number): Promise<void>
}

export interface RecordingBrokerOptions {
  /** What the broker says to a message: an error refuses it. Default: it accepts everything. */
  readonly answer?: (message: EventMessage, call: number) => Error | undefined | Promise<Error | undefined>
  /** Default false. */
  readonly batches?: boolean
  readonly keepsOrder?: boolean
}

export function recordingBroker({ answer, batches = false, keepsOrder }: RecordingBrokerOptions = {}): RecordingBroker {
  const accepted: EventMessage[] = []
  const calls: (readonly EventMessage[])[] = []
  let waiting: { readonly isMet: () => boolean; readonly resolve: () => void }[] = []

  const tell = (): void => {
    for (const { isMet, resolve } of waiting) if (isMet()) resolve()
    waiting = waiting.filter(({ isMet }) => !isMet())
  }
  const until = (isMet: () => boolean): Promise<void> =>
    isMet() ? Promise.resolve() : new Promise((resolve) => waiting.push({ isMet, resolve }))
  const publishBatch = async (messages: readonly EventMessage[]): Promise<readonly PublishResult[]> => {
    calls.push(messages)
    tell()
    const results: PublishResult[] = []
    for (const message of messages) {
      const error = await answer?.(message, calls.length)
      if (!error) accepted.push(message)
      results.push(error ? { accepted: false, error } : { accepted: true })
    }
    tell()
    return results
  }
  const publish = async (message: EventMessage): Promise<void> => {
    const [result] = await publishBatch([message])
    if (result && !result.accepted) throw result.error
  }
  return {
    accepted,
    calls,
    publish,
    ...(batches && { publishBatch }),
    ...(keepsOrder !== undefined && { keepsOrder }),
    untilAccepted: (count) => until(() => accepted.length >= count),
    untilCalled: (count) => until(() => calls.length >= count),
  }
}
