import { mkdir, writeFile } from "node:fs/promises"
import { join } from "node:path"
import type { DataSource } from "typeorm"
import { asError, ChangeEventsError } from "../errors"
import { buildMetadata, captureOptionsOf } from "../schemas/describe-data-source"
import type { SqlQuery } from "../outbox/log-rows"
import { checkTriggers } from "../triggers/trigger-check"
import { triggerMigration } from "../triggers/trigger-migration"
import { triggersOf, type TriggerOptions } from "../triggers/triggered-tables"
import type { Command, GivenOptions } from "./command"
import { loadDataSource } from "./load-data-source"
import type { Output } from "./output"
import { invalidCommand } from "./read-arguments"

/** `change-events triggers:generate`: no database is asked, but for `--check`. */
export const triggersGenerateCommand: Command = {
  summary: 'Writes the migration that makes the triggers of entities with capture: "triggers"',
  options: {
    "data-source": {
      type: "string",
      short: "d",
      value: "<file>",
      help: "TypeScript or JavaScript that exports a DataSource with the subscriber of changeEvents()",
    },
    out: { type: "string", short: "o", value: "<folder>", help: "where to write; standard output otherwise" },
    check: {
      type: "boolean",
      help: "writes nothing: fails with 1 if the database's triggers are not what would be written",
    },
    name: { type: "string", value: "<name>", help: 'name of the migration; "CaptureTriggers" otherwise' },
  },
  run: generateTriggers,
}

const DEFAULT_NAME = "CaptureTriggers"

async function generateTriggers(given: GivenOptions, output: Output): Promise<void> {
  const faults = argumentFaults(given)
  if (faults.length > 0) throw invalidCommand(faults)
  const dataSource = await loadDataSource(String(given["data-source"]))
  const options = await triggerOptionsOf(dataSource)
  const triggers = triggersOf(dataSource, options)
  if (given["check"]) {
    await connected(dataSource, (query) => checkTriggers(query, triggers, options.outbox))
    return output.tell(`the triggers of ${triggers.map(({ entity }) => entity).join(", ")} are up to date`)
  }
  const name = { name: String(given["name"] ?? DEFAULT_NAME), timestamp: Date.now() }
  const source = triggerMigration(triggers, options.outbox, name)
  if (given["out"] === undefined) return output.write(source)
  const path = join(String(given["out"]), `${name.timestamp}-${kebabCase(name.name)}.ts`)
  await writeMigration(String(given["out"]), path, source)
  output.tell(`${path}: triggers of ${triggers.map(({ entity }) => entity).join(", ")}`)
}

/** Without what the DataSource would do to the database when it connects. */
async function connected(dataSource: DataSource, use: (query: SqlQuery) => Promise<void>): Promise<void> {
  const isOwn = !dataSource.isInitialized
  if (isOwn) {
    dataSource.setOptions({ synchronize: false, dropSchema: false, migrationsRun: false })
    await dataSource.initialize().catch((thrown: unknown) => {
      const cause = asError(thrown)
      throw new ChangeEventsError("DATA_SOURCE_NOT_LOADED", `the database cannot be reached: ${cause.message}`, {
        cause,
      })
    })
  }
  const query: SqlQuery = (text, values) => dataSource.query(text, values)
  await use(query).finally(() => (isOwn ? dataSource.destroy() : undefined))
}

/** An entity without a key is TypeORM's error, which names one alone: ours names all that is wrong. */
async function triggerOptionsOf(dataSource: DataSource): Promise<TriggerOptions> {
  let refused: unknown
  await buildMetadata(dataSource).catch((thrown: unknown) => (refused = thrown))
  if (dataSource.entityMetadatas.length === 0 && refused) throw refused
  const options = captureOptionsOf(dataSource)
  if (refused && options) triggersOf(dataSource, options)
  if (refused) throw refused
  if (options) return options
  const message = "the DataSource has no subscriber of changeEvents(), whose options say what triggers capture"
  throw new ChangeEventsError("DATA_SOURCE_NOT_ATTACHED", message)
}

function argumentFaults(given: GivenOptions): string[] {
  const { name } = given
  const isName = name === undefined || /^[A-Za-z_$][\w$]*$/.test(String(name))
  return [
    ...(given["data-source"] === undefined ? ["`--data-source` is missing: `-d ormconfig.ts`"] : []),
    ...(given["check"] && (given["out"] ?? name) !== undefined
      ? ["`--check` writes nothing, and takes no `--out` and `--name`"]
      : []),
    ...(isName ? [] : ["`--name` must be a name of a class, such as `CaptureDevices`"]),
  ]
}

async function writeMigration(folder: string, path: string, source: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true })
    await writeFile(path, source, { flag: "wx" })
  } catch (thrown) {
    const cause = asError(thrown)
    throw new ChangeEventsError("FILE_NOT_WRITTEN", `\`${path}\` cannot be written: ${cause.message}`, { cause })
  }
}

function kebabCase(name: string): string {
  return name.replace(/(?<=[a-z0-9])(?=[A-Z])|_/g, "-").toLowerCase()
}
