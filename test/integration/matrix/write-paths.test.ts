import { readFileSync } from "node:fs"
import { join } from "node:path"
import { isDeepStrictEqual } from "node:util"
import { loadDataset } from "../../../fixtures/dataset"
import { fixtureEntities } from "../../../fixtures/fixture-entities"
import { hostileEntities } from "../../../fixtures/hostile/hostile-entities"
import type { ChangeEventsOptions } from "../../../src"
import { describeOnEveryPostgres } from "../../servers/test-database"
import type { ReceivedEvent } from "../../support/captured-database"
import { expectedChanges, toldChange, type ExpectedChange } from "../../support/expected-changes"
import { installGroundTruth, type RowChange } from "../../support/ground-truth"
import { outboxDatabase, type OutboxDatabase } from "../../support/outbox-database"
import { installedTriggers } from "../../support/triggered-database"
import { TagView } from "../../support/write-paths/tag-view"
import type { Fate, WritePath } from "../../support/write-paths/write-path"
import { writePaths } from "../../support/write-paths/write-paths"

const entities = [...fixtureEntities, ...hostileEntities, TagView]

interface Counts {
  paths: number
  changes: number
  exact: number
  detected: number
  unseen: number
  phantom: number
}

describe.each([
  ["around TypeORM", "orm", {}],
  ["by triggers", "triggers", { capture: "triggers" }],
] as const)("the write paths, captured %s", (_, mode, changes: Partial<ChangeEventsOptions>) => {
  describeOnEveryPostgres((version) => {
    let outbox: OutboxDatabase
    const counts: Counts = { paths: 0, changes: 0, exact: 0, detected: 0, unseen: 0, phantom: 0 }

    beforeAll(async () => {
      outbox = await outboxDatabase(version, { changes, dataSource: { entities } })
      await outbox.observer.query("CREATE VIEW extras.tag_view AS SELECT id, name, color FROM extras.tag")
      await loadDataset(outbox.observer.manager)
      if (mode === "triggers") await installedTriggers(outbox)
      await installGroundTruth(outbox.database.url)
    })
    afterAll(async () => {
      process.stdout.write(`write paths on Postgres ${version}, ${mode}: ${JSON.stringify(counts)}\n`)
      await outbox.close()
    })

    it.each(writePaths.map((path) => [path.name, path[mode] ?? "exact", path] as const))(
      "%s: %s",
      async (_name, fate, path) => {
        const { told, expected, isDetected } = await carriedOut(path)
        const [missing, phantom] = [without(expected, told), without(told, expected)]

        counts.paths++
        counts.changes += expected.length
        counts.exact += expected.length - missing.length
        if (missing.length > 0) counts[isDetected ? "detected" : "unseen"] += missing.length
        counts.phantom += phantom.length
        expect(phantom).toEqual([])
        if (fate === "exact") expect(missing).toEqual([])
        expect(fateOf(missing.length, isDetected)).toBe(fate)
      },
    )

    it("make no phantom, and nothing that triggers capture is unseen", () => {
      expect(counts).toMatchObject({ paths: writePaths.length, phantom: 0 })
      expect(counts.exact + counts.detected + counts.unseen).toBe(counts.changes)
      if (mode === "triggers") expect(counts.unseen).toBe(0)
    })

    /** As `GroundTruth` does, but on a connection that is open already. */
    async function truthMark(): Promise<number> {
      const [row] = await outbox.observer.query<{ mark: number }[]>(
        "SELECT coalesce(max(id), 0)::float8 AS mark FROM ground_truth.change",
      )
      return row?.mark ?? 0
    }

    async function carriedOut(path: WritePath) {
      const { dataSource, database, changes: running } = outbox
      const index = writePaths.indexOf(path)
      let mark = 0
      let uncaptured = 0
      const begin = async (): Promise<void> => {
        mark = await truthMark()
        uncaptured = running.status().uncaptured.statements
        await outbox.observer.query("DELETE FROM change_events.log")
      }
      await begin()
      await path.run({
        dataSource,
        manager: dataSource.manager,
        url: database.url,
        text: `p${index}`,
        number: index,
        begin,
      })
      const rows = await outbox.observer.query<RowChange[]>(
        "SELECT *, id::float8 AS id FROM ground_truth.change WHERE id > $1 ORDER BY change.id",
        [mark],
      )
      return {
        told: (await outbox.events()).map((event) => toldChange(event as unknown as ReceivedEvent)),
        expected: await expectedChanges(dataSource, rows, { foldsLists: mode === "orm" }),
        isDetected: running.status().uncaptured.statements > uncaptured,
      }
    }
  })
})

function fateOf(missed: number, isDetected: boolean): Fate {
  if (missed === 0) return "exact"
  return isDetected ? "detected" : "unseen"
}

/** The changes without the others, each taken away once. */
function without(changes: readonly ExpectedChange[], others: readonly ExpectedChange[]): readonly ExpectedChange[] {
  const rest = [...others]
  return changes.filter((change) => {
    const at = rest.findIndex((other) => isDeepStrictEqual(other, change))
    if (at >= 0) rest.splice(at, 1)
    return at < 0
  })
}

it("are those that docs/coverage.md lists", () => {
  const [matrix = ""] = readFileSync(join(__dirname, "../../../docs/coverage.md"), "utf8").split(/^## /m)
  const cells = matrix
    .split("\n")
    .filter((line) => line.startsWith("| "))
    .map((line) =>
      line
        .split("|")
        .slice(1, -1)
        .map((cell) => cell.trim()),
    )
  const rows = cells.slice(2)

  expect(rows).toEqual(writePaths.map(({ name, orm = "exact", triggers = "exact" }) => [name, orm, triggers]))
})
