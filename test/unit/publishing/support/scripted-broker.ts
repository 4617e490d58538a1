import type { EventBroker, PublishResult } from "../../../../src/brokers/broker"
import type { EventMessage } from "../../../../src/events/message"
import { numbersOf } from "./device-events"

export interface ScriptedBroker extends EventBroker {
  /** The numbers of the events of each call, refused or not. */
  readonly calls: readonly (readonly number[])[]
  /** The numbers of the accepted events, in order. */
  readonly accepted: readonly number[]
}

/** What a broker does with an event: accept it, or reject it with the error that is given. */
export type Script = (eventNumber: number, callCount: number) => unknown

/** A broker without batches that rejects what the script gives an error for. */
export function scriptedBroker(script: Script = () => undefined): ScriptedBroker {
  const calls: number[][] = []
  const accepted: number[] = []

  const publish = async (message: EventMessage): Promise<void> => {
    const [number] = numbersOf([message]) as [number]
    calls.push([number])
    const error = script(number, calls.length)
    if (error !== undefined) throw error
    accepted.push(number)
  }
  return { calls, accepted, publish }
}

/** The same with batches, whose messages are accepted one by one. */
export function scriptedBatchBroker(script: Script = () => undefined): ScriptedBroker {
  const calls: number[][] = []
  const accepted: number[] = []

  const publishBatch = async (messages: readonly EventMessage[]): Promise<readonly PublishResult[]> => {
    const numbers = numbersOf(messages)
    calls.push(numbers)
    const errors = numbers.map((number) => script(number, calls.length))
    accepted.push(...numbers.filter((_, index) => errors[index] === undefined))
    return errors.map((error) =>
      error === undefined ? { accepted: true } : { accepted: false, error: error as Error },
    )
  }
  return { calls, accepted, publish: () => Promise.reject(new Error("it has batches")), publishBatch }
}

/** A broker that never answers. */
export function hangingBroker(): EventBroker {
  return { publish: () => new Promise(() => undefined) }
}
