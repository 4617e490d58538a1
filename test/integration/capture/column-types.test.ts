import { spawn } from "node:child_process"
import { once } from "node:events"
import path from "node:path"
import { columnSamples } from "../../../fixtures/hostile/column-samples"
import { describeOnEveryPostgres } from "../../servers/test-database"
import type { ColumnTypeReport } from "../../support/column-type-program"

const root = path.join(__dirname, "..", "..", "..")

const timeZones = ["UTC", "America/New_York"] as const

describeOnEveryPostgres((version) => {
  let reports: readonly ColumnTypeReport[]

  beforeAll(async () => void (reports = await Promise.all(timeZones.map((zone) => runColumnTypes(version, zone)))))

  it("tells every column type as a reload gives it, on insert, update, upsert, save and delete, in every time zone", () => {
    expect(reports.map(({ faults }) => faults)).toEqual([[], []])
    expect(reports.map(({ timezoneOffset }) => timezoneOffset)).toEqual([0, 300])
  })

  it("leaves no column out", () => {
    const columns = columnSamples.flatMap(({ values }) => Object.keys(values))

    for (const { changes } of reports) {
      expect(Object.keys(changes).length).toBeGreaterThan(columns.length)
      expect(Object.entries(changes).filter(([, count]) => count < 2)).toEqual([])
    }
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
