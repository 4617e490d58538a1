import { toldChange } from "../../support/expected-changes"
import type { ReceivedEvent } from "../../support/captured-database"
import { describeHostileTables } from "../../support/describe-hostile-tables"
import { outboxDatabase } from "../../support/outbox-database"
import { emptyLog, installedTriggers } from "../../support/triggered-database"

describe("capture by triggers tells exactly, and changes no result, of", () => {
  describeHostileTables(async (version, dataSource) => {
    const outbox = await outboxDatabase(version, { changes: { capture: "triggers" }, dataSource })
    return {
      ...outbox,
      prepare: () => installedTriggers(outbox),
      told: async () => {
        const events = await outbox.events()
        await emptyLog(outbox)
        return events.map((event) => toldChange(event as unknown as ReceivedEvent))
      },
    }
  })
})
