import { forgetBroker } from "../relay/cursor-registry"
import type { Command, GivenOptions } from "./command"
import { dataSourceOption, withOwnChangeLog } from "./open-change-log"
import type { Output } from "./output"
import { invalidCommand } from "./read-arguments"
import { unknownBroker } from "./unknown-broker"

/** `change-events forget`. */
export const forgetCommand: Command = {
  summary: "Forgets a broker that is there no more, so that the log is not kept for it",
  options: {
    "data-source": dataSourceOption,
    broker: { type: "string", value: "<name>", help: "which" },
  },
  run: forget,
}

async function forget(given: GivenOptions, output: Output): Promise<void> {
  const { broker } = given
  if (broker === undefined) throw invalidCommand(["`--broker` is missing"])
  await withOwnChangeLog(given, async ({ query, tables }) => {
    // Asked first: an unknown one's dead letters stay.
    const error = await unknownBroker(query, tables, String(broker))
    if (!(await forgetBroker(query, tables, String(broker)))) throw error
    output.tell(`${String(broker)} is forgotten, with its dead letters`)
  })
}
