import type { ErrorCode } from "../errors"
import type { PendingEvent } from "../events/sink"
import type { ObservedCall } from "./broker-call"
import type { Failure } from "./failure"

/** What became of one item: undefined when it was accepted. */
export type Outcome = Failure | undefined

/** Who a delivery delivers to: a broker, or a listener in this process. */
export interface Recipient<Item> {
  /** As sentences call it, such as `broker audit`. */
  readonly label: string
  /** What reports of it are counted by, such as `audit`. */
  readonly about: string
  /** The code of the report when an event is given up. */
  readonly failureCode: ErrorCode
  /** The broker's name; undefined for a listener, of which the channels are told nothing. */
  readonly broker?: string
  /** Before each call: who is to be told of it, if anybody listens. */
  readonly observe?: () => ObservedCall<Item> | undefined
  /** Whether it can take more than one item a call. */
  readonly takesBatches: boolean
  /** What is sent for the event, or undefined when there is nothing to send. May throw: foreign values, foreign formats. */
  prepare(event: PendingEvent): Item | undefined
  /** One outcome for each item, in order. Settles within the timeout, never rejects. */
  send(items: readonly Item[]): Promise<readonly Outcome[]>
}
