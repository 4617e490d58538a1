import { findCapture } from "../capture/find-capture"
import { readStatementRow } from "../capture/statement-row"
import type { Capture } from "../capture/capture"
import type { OutgoingEvent } from "../events/change-event"
import { compileTopicPattern } from "../events/topic-pattern"
import { logOrigin } from "../outbox/log-origin"
import { tailLog, type UnreadableRow } from "../relay/log-tail"
import type { Command, GivenOptions } from "./command"
import { interruption } from "./interruption"
import { dataSourceOption, withChangeLog } from "./open-change-log"
import type { Output } from "./output"
import { invalidCommand } from "./read-arguments"
import { readSince, SINCE_FAULT } from "./read-since"

/** `change-events tail`. */
export const tailCommand: Command = {
  summary: "Shows events as they are committed, until it is interrupted",
  options: {
    "data-source": dataSourceOption,
    topic: { type: "string", value: "<pattern>", help: "only topics that match, such as `*.dcim.*`" },
    since: { type: "string", value: "<time|id>", help: "begin there; otherwise with what is committed from now on" },
    json: { type: "boolean", help: "whole events, one JSON text a line" },
  },
  run: tail,
}

async function tail(given: GivenOptions, output: Output): Promise<void> {
  const since = typeof given["since"] === "string" ? readSince(given["since"]) : undefined
  if (given["since"] !== undefined && since === undefined) throw invalidCommand([SINCE_FAULT])
  const matches = compileTopicPattern(typeof given["topic"] === "string" ? given["topic"] : "*")
  const show = given["json"] ? (event: OutgoingEvent) => JSON.stringify(event) : oneLine
  const signal = interruption()
  await withChangeLog(given, async ({ dataSource, connection, tables, query }) => {
    const capture = findCapture(dataSource) as Capture
    await capture.whenKnown(undefined)
    const reader = {
      readStatementRow: readStatementRow.bind(undefined, capture),
      origin: await logOrigin(query, tables),
    }
    const events = await tailLog({ connection, tables, reader, since, signal })
    output.tell("events, from " + (since === undefined ? "now" : String(given["since"])) + " on:")
    for await (const event of events) {
      if (isUnreadable(event)) output.tell(event.error.message)
      else if (matches(event.topic)) await output.write(`${show(event)}\n`)
    }
  })
}

function isUnreadable(event: OutgoingEvent | UnreadableRow): event is UnreadableRow {
  return "error" in event
}

function oneLine({ occurredAt, topic, key, context, ...event }: OutgoingEvent): string {
  const by = context.userName === null ? "" : ` by ${context.userName}`
  const what = event.kind === "change" ? JSON.stringify(event.differences) : JSON.stringify(event.payload)
  return `${occurredAt.toISOString()} ${topic} ${key}${by} ${what}`
}
