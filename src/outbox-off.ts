import { ChangeEventsError } from "./errors"

/** What needs the change log was asked for without it. */
export function outboxOff(what: string): ChangeEventsError {
  return new ChangeEventsError("OUTBOX_OFF", `${what} needs the change log: give changeEvents() \`delivery: "outbox"\``)
}
