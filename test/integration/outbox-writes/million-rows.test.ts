import { execFile } from "node:child_process"
import { join } from "node:path"
import { promisify } from "node:util"
import { createChangeLog } from "../../../src/outbox/change-log-schema"
import { createTestDatabase } from "../../servers/test-database"
import type { MillionLoggedRows } from "../../support/million-logged-rows"
import { fillWithRows } from "../../support/million-rows"
import { withClient } from "../../support/with-client"

const ROWS = 1_000_000
const root = join(__dirname, "..", "..", "..")

/** What the log holds of each statement, as the server compares it with the rows: id, name, and the colour before and after. */
const COMPARED = `
  SELECT log.statement_id, count(*)::int AS rows, count(DISTINCT log.key)::int AS keys,
         min(split_part(log.old_row, ',', 3)) AS least_before, max(split_part(log.old_row, ',', 3)) AS most_before,
         min(split_part(log.new_row, ',', 3)) AS least_after, max(split_part(log.new_row, ',', 3)) AS most_after,
         count(*) FILTER (WHERE split_part(log.old_row, ',', 1) = '(' || tag.id AND split_part(log.new_row, ',', 2) = tag.name)::int AS exact
  FROM change_events.log AS log JOIN extras.tag AS tag ON log.key = 'extras.tag:' || tag.id
  GROUP BY log.statement_id ORDER BY log.statement_id`

describe("an update of 1,000,000 rows", () => {
  it("is written into the log exactly, by the server, at no more than twelve times the bare statement", async () => {
    const database = await createTestDatabase(18)
    try {
      await withClient(database.url, async (client) => {
        for (const statement of createChangeLog()) await client.query(statement)
        await client.query(fillWithRows)
      })
      const script = join(root, "test", "support", "million-logged-rows.ts")
      const child = await promisify(execFile)(process.execPath, ["--import", "tsx", script, database.url], {
        cwd: root,
      })
      const { affected, grewByMb, bare, captured, reports } = JSON.parse(child.stdout) as MillionLoggedRows
      const compared = await withClient(database.url, async (client) => (await client.query(COMPARED)).rows as unknown)

      const common = { rows: ROWS, keys: ROWS, exact: ROWS }
      const colours = (before: string, after: string) => ({
        least_before: `${before})`,
        most_before: `${before})`,
        least_after: `${after})`,
        most_after: `${after})`,
      })
      expect(compared).toMatchObject([{ ...common, ...colours("aaaaa0", "bbbbb0") }])
      expect(affected).toEqual([ROWS, ROWS])
      expect(reports).toEqual([])
      expect(grewByMb).toBeLessThan(50)
      const ratio = Math.min(...captured) / Math.min(...bare)
      process.stdout.write(`1,000,000 rows: ${ratio.toFixed(1)} × the bare statement, ${grewByMb.toFixed(0)} MB\n`)
      expect(ratio).toBeLessThanOrEqual(12)
    } finally {
      await database.drop()
    }
  }, 300_000)
})
