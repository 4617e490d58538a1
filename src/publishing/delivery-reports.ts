import { ChangeEventsError } from "../errors"
import type { PendingEvent } from "../events/sink"
import type { DeliveryOptions } from "./delivery-options"
import type { Failure } from "./failure"
import type { Recipient } from "./recipient"

type Named = Pick<Recipient<unknown>, "label" | "about" | "failureCode">

// What operators are told of a delivery. None holds a value of a record: ids, topics and counts only.

export function queueFull({ label, about }: Named, droppedCount: number, options: DeliveryOptions): ChangeEventsError {
  const { maxQueuedEvents, maxQueuedBytes } = options
  const limits = `${maxQueuedEvents} events or ${maxQueuedBytes} bytes`
  return new ChangeEventsError(
    "QUEUE_FULL",
    `the queue of ${label} is full (${limits}): dropped the ${droppedCount} newest`,
    {
      details: { about, droppedCount, maxQueuedEvents, maxQueuedBytes },
    },
  )
}

export function givenUp(
  { label, about, failureCode }: Named,
  event: PendingEvent,
  failure: Failure,
  attempts: number,
): ChangeEventsError {
  const tries = attempts === 1 ? "1 attempt" : `${attempts} attempts`
  const message = `${label} did not accept event ${event.id} (${event.topic}), given up after ${tries}`
  const details = { about, eventId: event.id, topic: event.topic, attempts }
  return new ChangeEventsError(failureCode, message, { cause: failure.error, details })
}

export function unserializable({ label, about }: Named, event: PendingEvent, failure: Failure): ChangeEventsError {
  const message = `event ${event.id} (${event.topic}) cannot be read or formatted for ${label}, it is not sent`
  // Our own error says at which path; a stranger's may hold anything.
  const known = failure.error instanceof ChangeEventsError ? failure.error.details : {}
  const details = { ...known, about, eventId: event.id, topic: event.topic }
  return new ChangeEventsError("EVENT_UNSERIALIZABLE", message, { cause: failure.error, details })
}

export function circuitOpened({ label, about }: Named, failure: Failure, failedCalls: number): ChangeEventsError {
  const message = `${failedCalls} calls of ${label} failed in a row: its events wait, one is tried now and then`
  return new ChangeEventsError("BROKER_UNAVAILABLE", message, { cause: failure.error, details: { about, failedCalls } })
}
