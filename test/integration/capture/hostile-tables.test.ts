import { captureDatabase } from "../../support/captured-database"
import { describeHostileTables } from "../../support/describe-hostile-tables"
import { toldChange } from "../../support/expected-changes"

describe("capture around TypeORM tells exactly, and changes no result, of", () => {
  describeHostileTables(async (version, dataSource) => {
    const captured = await captureDatabase(version, { dataSource })
    return {
      ...captured,
      prepare: async () => undefined,
      told: async () => (await captured.events()).map(toldChange),
    }
  })
})
