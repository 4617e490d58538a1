import { execFile } from "node:child_process"
import { join } from "node:path"
import { promisify } from "node:util"
import { createTestDatabase } from "../../servers/test-database"
import { fillWithRows, type MillionRows } from "../../support/million-rows"
import { withClient } from "../../support/with-client"

const ROWS = 1_000_000
const root = join(__dirname, "..", "..", "..")

async function runWith(mode: "captured" | "bare"): Promise<MillionRows> {
  const database = await createTestDatabase(18)
  try {
    await withClient(database.url, (client) => client.query(fillWithRows))
    const script = join(root, "test", "support", "million-rows.ts")
    const child = await promisify(execFile)(process.execPath, ["--import", "tsx", script, database.url, mode], {
      cwd: root,
    })
    return JSON.parse(child.stdout) as MillionRows
  } finally {
    await database.drop()
  }
}

describe("an update and a delete of 1,000,000 rows", () => {
  it("takes within 50 MB of what it takes without capture, gives the right count, and reports each once", async () => {
    const bare = await runWith("bare")
    const captured = await runWith("captured")

    expect(captured.affected).toEqual(bare.affected)
    expect(captured.affected).toEqual([ROWS, ROWS])
    expect(captured.grewByMb).toBeLessThan(bare.grewByMb + 50)
    expect(captured.events).toBe(0)
    // The third is what the DELETE's foreign keys do.
    expect(captured.uncaptured).toEqual({ statements: 3, rows: 2 * ROWS })
    expect(captured.reports).toHaveLength(2)
    expect(captured.reports[1]).toContain("its foreign keys lead to more than 10000 rows")
    expect(captured.reports[0]).toContain(
      'WRITE_UNCAPTURED: a write to "extras.tag" made no events: it changed 1000000 rows',
    )
  }, 300_000)
})
