import { once } from "node:events"
import type { Command, GivenOptions } from "./command"
import { interruption } from "./interruption"
import { dataSourceOption, withChangeLog } from "./open-change-log"
import type { Output } from "./output"
import { invalidCommand } from "./read-arguments"

const STARTS = ["beginning", "now"] as const

/** `change-events relay`: as a process of its own. */
export const relayCommand: Command = {
  summary: "Delivers the change log to the brokers of changeEvents(), until it is interrupted",
  options: {
    "data-source": dataSourceOption,
    "start-at": {
      type: "string",
      value: "<place>",
      help: 'where a new broker begins: "beginning" (of the log) or "now"',
    },
  },
  run: runRelay,
}

async function runRelay(given: GivenOptions, output: Output): Promise<void> {
  const startAt = STARTS.find((place) => place === (given["start-at"] ?? "beginning"))
  if (!startAt) throw invalidCommand(['`--start-at` must be "beginning" or "now"'])
  const signal = interruption()
  await withChangeLog(given, async ({ changes }) => {
    const relay = await changes.startRelay({ startAt })
    output.tell("the relay runs")
    if (!signal.aborted) await once(signal, "abort")
    output.tell("the relay stops")
    await relay.stop()
  })
}
