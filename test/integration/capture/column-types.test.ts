import { spawn } from "node:child_process"
import { once } from "node:events"
import path from "node:path"
import { columnSamples } from "../../../fixtures/hostile/column-samples"
import { describeOnEveryPostgres } from "../../servers/test-database"
import type { ColumnTypeReport } from "../../support/column-type-program"

const root = path.join(__dirname, "..", "..", "..")

describeOnEveryPostgres((version) => {
  describe.each([
    ["UTC", 0],
    ["America/New_York", 300],
  ])("with the process in %s", (timeZone, timezoneOffset) => {
    it("tells every column type as a reload gives it, on insert, update, upsert, save and delete", async () => {
      const report = await runColumnTypes(version, timeZone)

      expect(report.faults).toEqual([])
      expect(report.timezoneOffset).toBe(timezoneOffset)
      const columns = columnSamples.flatMap(({ values }) => Object.entries(values))
      const silent = Object.entries(report.changes).filter(([, count]) => count < 2)
      expect(silent).toEqual([])
      expect(Object.keys(report.changes).length).toBeGreaterThanOrEqual(columns.length)
    })
  })
})

async function runColumnTypes(version: number, timeZone: string): Promise<ColumnTypeReport> {
  const program = path.join(root, "test", "support", "column-type-program.ts")
  const child = spawn(process.execPath, ["--import", "tsx", program, String(version)], {
    cwd: root,
    env: { ...process.env, TZ: timeZone },
    stdio: ["ignore", "pipe", "pipe"],
  })
  let output = ""
  let errors = ""
  child.stdout.on("data", (data: Buffer) => (output += data.toString()))
  child.stderr.on("data", (data: Buffer) => (errors += data.toString()))
  const [code] = (await once(child, "close")) as [number]
  if (code !== 0) throw new Error(`the program ended with ${code}: ${errors}`)
  return JSON.parse(output) as ColumnTypeReport
}
