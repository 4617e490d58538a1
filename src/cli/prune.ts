import { outboxDefaults } from "../outbox/outbox-options"
import { pruneOnce } from "../relay/retention"
import type { Command, GivenOptions } from "./command"
import { dataSourceOption, withOwnChangeLog } from "./open-change-log"
import type { Output } from "./output"
import { invalidCommand } from "./read-arguments"

/** `change-events prune`. */
export const pruneCommand: Command = {
  summary: "Removes from the change log what is old and was delivered to every broker",
  options: {
    "data-source": dataSourceOption,
    days: { type: "string", value: "<count>", help: "how old; the option `retentionDays` otherwise" },
  },
  run: prune,
}

async function prune(given: GivenOptions, output: Output): Promise<void> {
  const { days } = given
  if (days !== undefined && !/^\d{1,5}$/.test(String(days))) throw invalidCommand(["`--days` must be a whole number"])
  await withOwnChangeLog(given, async ({ query, tables, outbox }) => {
    const retentionDays = days === undefined ? (outbox.retentionDays ?? outboxDefaults.retentionDays) : Number(days)
    const { rows, heldBackBy } = await pruneOnce(query, tables, retentionDays)
    output.tell(`${rows} rows older than ${retentionDays} days are removed`)
    if (heldBackBy.length > 0)
      output.tell(`others are kept for brokers that have not had them: ${heldBackBy.join(", ")}`)
  })
}
