import { liveRelays, relayStatus, type CursorStatus } from "../relay/relay-status"
import type { Command } from "./command"
import { dataSourceOption, withChangeLog } from "./open-change-log"
import type { Output } from "./output"
import { textTable } from "./text-table"

/** `change-events status`: docs/operations.md explains each column. */
export const statusCommand: Command = {
  summary: "Shows how far each broker is behind, what failed last, and who delivers to it",
  options: {
    "data-source": dataSourceOption,
    json: { type: "boolean", help: "as JSON, for machines" },
  },
  run: (given, output) =>
    withChangeLog(given, async ({ query, tables }) => {
      const cursors = await relayStatus(query, tables)
      const relays = await liveRelays(query, tables)
      if (given["json"]) return output.write(`${JSON.stringify({ cursors, relays }, undefined, 2)}\n`)
      await writeTables(cursors, relays, output)
    }),
}

async function writeTables(cursors: readonly CursorStatus[], relays: readonly string[], output: Output): Promise<void> {
  const head = ["BROKER", "LAG", "OLDEST", "DELIVERED", "DEAD", "HELD", "LEADER", "LAST ERROR"]
  await output.write(textTable([head, ...cursors.map(cells)]))
  output.tell(relays.length === 0 ? "no relay runs" : `relays that run: ${relays.join(", ")}`)
}

function cells(cursor: CursorStatus): string[] {
  const { broker, shard, shards, lag, lagIsMore, lagSeconds, delivered, deadLetters, held, leader } = cursor
  return [
    shards === 1 ? broker : `${broker} ${shard + 1}/${shards}`,
    `${lag}${lagIsMore ? "+" : ""}`,
    lag === 0 ? "-" : `${Math.round(lagSeconds)} s`,
    String(delivered),
    String(deadLetters),
    String(held),
    leader ?? "nobody",
    lastError(cursor),
  ]
}

function lastError({ lastError: message, lastErrorAt }: CursorStatus): string {
  return message === null ? "-" : `${lastErrorAt?.toISOString() ?? ""} ${message}`
}
