import { adoptChangeLog } from "../relay/adopt-change-log"
import type { Command, GivenOptions } from "./command"
import { dataSourceOption, withChangeLog } from "./open-change-log"
import type { Output } from "./output"
import { invalidCommand } from "./read-arguments"

/** `change-events adopt`: the way out of CHANGE_LOG_FOREIGN. */
export const adoptCommand: Command = {
  summary: "Makes the change log of a restored or cloned database its own, while nobody writes to it",
  options: {
    "data-source": dataSourceOption,
    deliver: { type: "string", value: "<what>", help: '"rest": what brokers had not had yet; "nothing": of a clone' },
  },
  run: adopt,
}

async function adopt(given: GivenOptions, output: Output): Promise<void> {
  const { deliver } = given
  if (deliver !== "rest" && deliver !== "nothing") throw invalidCommand(['`--deliver` must be "rest" or "nothing"'])
  await withChangeLog(given, async ({ query, tables }) => {
    const count = await adoptChangeLog(query, tables, deliver)
    output.tell(`the change log is this database's own; ${count} events of before are still to be delivered`)
  })
}
