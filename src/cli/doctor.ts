import type { Capture } from "../capture/capture"
import { coverageOf, type EntityCoverage, type PathCoverage } from "../capture/coverage"
import { findCapture } from "../capture/find-capture"
import { ChangeEventsError } from "../errors"
import type { Command, GivenOptions } from "./command"
import { dataSourceFaults, dataSourceOption, withDataSource } from "./open-change-log"
import type { Output } from "./output"
import { invalidCommand } from "./read-arguments"
import { textTable } from "./text-table"

/** `change-events doctor`. */
export const doctorCommand: Command = {
  summary: "Lists, for each entity and way to write it, whether it makes events, and if not why and what to do",
  options: {
    "data-source": dataSourceOption,
    strict: {
      type: "boolean",
      help: "exit with 1 where anything at all makes no events, and not only what TypeORM writes",
    },
    json: { type: "boolean", help: "as JSON, for machines" },
  },
  run: examine,
}

async function examine(given: GivenOptions, output: Output): Promise<void> {
  const faults = dataSourceFaults(given)
  if (faults.length > 0) throw invalidCommand(faults)
  await withDataSource(String(given["data-source"]), async (dataSource) => {
    const capture = findCapture(dataSource) as Capture
    await capture.whenKnown(undefined)
    const entities = coverageOf(capture)
    await output.write(given["json"] ? `${JSON.stringify(entities, undefined, 2)}\n` : tableOf(entities))
    const isMissed = given["strict"] ? isUntold : isUncaptured
    const missed = entities.filter(({ paths }) => paths.some(isMissed)).map(({ entity }) => entity)
    if (missed.length > 0)
      throw new ChangeEventsError("COVERAGE_INCOMPLETE", `not everything makes events: ${missed.join(", ")}`)
  })
}

function tableOf(entities: readonly EntityCoverage[]): string {
  const rows = entities.flatMap(({ entity, paths }) =>
    paths.map(({ path, by, reason, remedy }) => [entity, path, by, reason ?? "-", remedy ?? "-"]),
  )
  return textTable([["ENTITY", "WRITE", "EVENTS BY", "WHY NOT", "REMEDY"], ...rows])
}

function isUntold({ by }: PathCoverage): boolean {
  return by === "reported" || by === "nobody"
}

/** An entity that is wanted, and of which nothing is captured. */
function isUncaptured({ path, by }: PathCoverage): boolean {
  return path === "every write" && by === "reported"
}
