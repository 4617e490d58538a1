import { rewind } from "../relay/cursor-registry"
import type { Command, GivenOptions } from "./command"
import { dataSourceOption, withOwnChangeLog } from "./open-change-log"
import type { Output } from "./output"
import { invalidCommand } from "./read-arguments"
import { readSince, SINCE_FAULT } from "./read-since"
import { unknownBroker } from "./unknown-broker"

/** `change-events replay`. */
export const replayCommand: Command = {
  summary: "Has events delivered to a broker once more, in order, from some time on",
  options: {
    "data-source": dataSourceOption,
    broker: { type: "string", value: "<name>", help: "to whom" },
    since: { type: "string", value: "<time|id>", help: "from when, or from which row of the log on" },
  },
  run: replay,
}

async function replay(given: GivenOptions, output: Output): Promise<void> {
  const { broker, since: text } = given
  const since = typeof text === "string" ? readSince(text) : undefined
  const faults = [
    ...(broker === undefined ? ["`--broker` is missing"] : []),
    ...(text === undefined ? ["`--since` is missing"] : since === undefined ? [SINCE_FAULT] : []),
  ]
  if (faults.length > 0 || since === undefined) throw invalidCommand(faults)
  await withOwnChangeLog(given, async ({ query, tables }) => {
    if (!(await rewind(query, tables, String(broker), since))) throw await unknownBroker(query, tables, String(broker))
    output.tell(
      `what was logged since ${String(text)} will be delivered to ${String(broker)} once more, by the relay that leads it`,
    )
  })
}
